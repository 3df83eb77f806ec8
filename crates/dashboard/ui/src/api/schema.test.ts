import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";

it("the types are those of the committed OpenAPI document; `npm run types` renews them", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "hookyard-types-"));
  try {
    const out = path.join(folder, "schema.ts");
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: { types: string } };
    const [, ...args] = manifest.scripts.types.replace("src/api/schema.ts", out).split(" ");
    execFileSync(process.execPath, ["node_modules/openapi-typescript/bin/cli.js", ...args], {
      stdio: "pipe",
    });
    expect(readFileSync("src/api/schema.ts", "utf8")).toBe(readFileSync(out, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 30_000);
