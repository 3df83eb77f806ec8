// Runs the browser's tests: `node tests/run.mjs [stories|screens] [part of a name]`.

import { main as screens } from "./screens.mjs";
import { main as stories } from "./stories.mjs";

const [which, only] = process.argv.slice(2);
const suites = { stories, screens };
let failed = 0;
for (const [name, main] of Object.entries(suites)) {
  if (which !== undefined && which !== name) {
    continue;
  }
  const { checked, failures } = await main(only);
  failed += failures.length;
  for (const it of failures) {
    console.log(`FAILED ${name}: ${it}`);
  }
  console.log(`${name}: ${checked} checked, ${failures.length} failed`);
}
process.exit(failed === 0 ? 0 : 1);
