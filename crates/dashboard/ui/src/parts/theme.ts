// The looks: one calm accent, colours that can be read in light and dark, sizes on a grid of four.

import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const brand: MantineColorsTuple = [
  "#eef1ff",
  "#dbe1fb",
  "#b8c3f3",
  "#97a6ea",
  "#7a8ce1",
  "#5f73d6",
  "#4a5fca",
  "#3d50b8",
  "#3343a0",
  "#283582",
];

// Blue greys, from text to the deepest ground.
const dark: MantineColorsTuple = [
  "#e3e7f0",
  "#c5ccda",
  "#9aa5ba",
  "#717c92",
  "#343c4d",
  "#2a3140",
  "#1b202b",
  "#12151d",
  "#0e1118",
  "#0a0c12",
];

export const theme = createTheme({
  primaryColor: "brand",
  primaryShade: { light: 7, dark: 7 },
  colors: { brand, dark },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "Liberation Mono", monospace',
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "14px" },
  headings: { fontWeight: "620" },
  components: {
    Button: { defaultProps: { size: "sm" } },
    Modal: { defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.45 } } },
    Tooltip: {
      defaultProps: { withArrow: true, openDelay: 250, events: { hover: true, focus: true, touch: false } },
    },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
    // The word alone is the label: an asterisk in it is read out, and found by nobody who looks for the word.
    InputWrapper: { defaultProps: { withAsterisk: false } },
  },
});

// Stock colours of dimmed text, placeholders, errors and descriptions fall below 4.5 : 1.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1b2130",
    "--mantine-color-dimmed": "#566076",
    "--mantine-color-placeholder": "#6a7386",
    "--mantine-color-error": "#b42318",
    "--mantine-color-anchor": "#3343a0",
    "--mantine-color-default-border": "#cfd5e1",
    "--mantine-color-red-filled": "#c0271c",
    "--mantine-color-red-filled-hover": "#a51f16",
    "--mantine-color-red-light": "#fcebe9",
    "--mantine-color-red-light-hover": "#f9dcd8",
    "--mantine-color-red-light-color": "#a51f16",
    "--mantine-color-brand-light-color": "#2b3990",
  },
  dark: {
    "--mantine-color-body": "#12151d",
    "--mantine-color-text": "#e3e7f0",
    "--mantine-color-dimmed": "#9aa5ba",
    "--mantine-color-placeholder": "#8b96ab",
    "--mantine-color-error": "#ff8f85",
    "--mantine-color-anchor": "#a9b6f7",
    "--mantine-color-default": "#1b202b",
    "--mantine-color-default-hover": "#242a37",
    "--mantine-color-default-border": "#343c4d",
    "--mantine-color-disabled": "#232936",
    "--mantine-color-disabled-color": "#8792a8",
    "--mantine-color-red-filled": "#c0271c",
    "--mantine-color-red-filled-hover": "#d0382c",
    "--mantine-color-red-light": "#2f1b1c",
    "--mantine-color-red-light-hover": "#3b2021",
    "--mantine-color-red-light-color": "#ff9d94",
    "--mantine-color-brand-light-color": "#b3bffa",
  },
});
