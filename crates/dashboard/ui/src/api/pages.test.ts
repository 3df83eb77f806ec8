import { expect, it } from "vitest";
import { all, laidOver } from "./pages";

const page = (...ids: string[]) => ({ data: ids.map((id) => ({ id, at: "old" })), next_cursor: "more" });

it("what is new goes on top, what changed changes in its place, and the rest is not read again", () => {
  const old = { pages: [page("c", "b"), page("a")], pageParams: [null, "x"] };
  const head = {
    data: [
      { id: "d", at: "new" },
      { id: "c", at: "new" },
      { id: "b", at: "old" },
    ],
    next_cursor: "y",
  };
  const next = laidOver(old, head);
  expect(next.pages.map((it) => it.data.map((row) => `${row.id} ${row.at}`))).toEqual([
    ["d new", "c new", "b old"],
    ["a old"],
  ]);
  expect(next.pages[0]?.next_cursor).toBe("more");
});

it("a head that knows nothing of the old list replaces it, for there may be a gap", () => {
  const old = { pages: [page("a")], pageParams: [null] };
  const head = page("z", "y");
  expect(laidOver(old, head).pages).toEqual([head]);
});

it("short lists are read to their end, but never without bound", async () => {
  let asked = 0;
  const rows = await all(async () => {
    asked += 1;
    return { data: [{ id: String(asked) }], next_cursor: "for ever" };
  }, 5);
  expect(rows).toHaveLength(5);
});
