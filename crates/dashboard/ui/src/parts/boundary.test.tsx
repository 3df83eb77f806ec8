import { screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { show } from "../testing/world";
import { Boundary } from "./boundary";

function Broken(): never {
  throw new Error("a field was missing");
}

it("a page that breaks says so and offers to load it again", () => {
  const silent = vi.spyOn(console, "error").mockImplementation(() => {});
  show(
    <Boundary>
      <Broken />
    </Boundary>,
  );
  expect(screen.getByRole("alert").textContent).toMatch(/a field was missing/);
  expect(screen.getByRole("button", { name: "Load again" })).toBeTruthy();
  silent.mockRestore();
});
