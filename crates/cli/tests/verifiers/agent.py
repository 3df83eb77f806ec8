"""An agent's side of the Model Context Protocol, by the protocol's own library for Python.

Its argument says whom it speaks to: {"url", "key"} or {"command", "args", "env"}, and {"mode"}: "auto" for the current
protocol where the server knows it, "legacy" for the handshake of the ones before. Then it is asked line by line.
"""

import asyncio
import json
import sys

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


def transport(whom):
    if "command" in whom:
        return StdioServerParameters(command=whom["command"], args=whom["args"], env=whom["env"])
    headers = {"Authorization": f"Bearer {whom['key']}"}
    return streamable_http_client(whom["url"], http_client=create_mcp_http_client(headers=headers))


def plain(result):
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


async def answer(client, question):
    if question["do"] == "list":
        return plain(await client.list_tools())
    # The library checks what comes back against the tool's output schema.
    return plain(await client.call_tool(question["name"], question["arguments"]))


async def main():
    whom = json.loads(sys.argv[1])
    async with Client(transport(whom), mode=whom["mode"]) as client:
        about = {"protocol": client.protocol_version, "instructions": client.instructions}
        print(json.dumps(about | {"server": plain(client.server_info)}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                said = await answer(client, json.loads(line))
            except MCPError as error:
                said = {"error": {"code": error.code, "message": str(error)}}
            print(json.dumps(said), flush=True)


asyncio.run(main())
