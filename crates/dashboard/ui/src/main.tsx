// Start: the nonce for the styles that are made while the page runs, the providers, and the app.

import "@mantine/core/styles.css";
import "./parts/parts.css";
import "./shell/shell.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";

const root = document.getElementById("root");
if (root !== null) {
  const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
  createRoot(root).render(<App nonce={nonce} />);
}
