// An agent's side of the Model Context Protocol, by the protocol's own library for JavaScript. Its argument says whom it
// speaks to, {"url", "key"} or {"command", "args", "env"}; then it is asked line by line.
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const whom = JSON.parse(process.argv.at(-1));
const transport = whom.command
  ? new StdioClientTransport({ command: whom.command, args: whom.args, env: whom.env })
  : new StreamableHTTPClientTransport(new URL(whom.url), {
      requestInit: { headers: { authorization: `Bearer ${whom.key}` } },
    });
const client = new Client({ name: "agent", version: "1.0.0" });
await client.connect(transport);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
say({
  protocol: transport.protocolVersion ?? null,
  instructions: client.getInstructions(),
  server: client.getServerVersion(),
});
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  try {
    if (question.do === "list") {
      say(await client.listTools());
    } else {
      // The library checks what comes back against the tool's output schema, once it has listed the tools.
      say(await client.callTool({ name: question.name, arguments: question.arguments }));
    }
  } catch (error) {
    say({ error: { code: error.code, message: error.message } });
  }
}
await client.close();
