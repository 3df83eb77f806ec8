// Messages that come and go: what was done, or why it was not.

import { ActionIcon } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { reason } from "../lib/problem";
import { Icon } from "./icons";

type Toast = { readonly id: number; readonly tone: "good" | "bad"; readonly text: string };

export type Say = {
  readonly done: (text: string) => void;
  readonly failed: (thrown: unknown) => void;
};

const SayContext = createContext<Say>({ done: () => {}, failed: () => {} });

export function useSay(): Say {
  return useContext(SayContext);
}

let counter = 0;

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((it) => it.id !== id)), []);
  const say = useMemo<Say>(() => {
    const add = (tone: Toast["tone"], text: string) => {
      counter += 1;
      const id = counter;
      setToasts((all) => [...all.slice(-3), { id, tone, text }]);
      setTimeout(() => drop(id), tone === "bad" ? 12_000 : 4_500);
    };
    return {
      done: (text) => add("good", text),
      failed: (thrown) => add("bad", reason(thrown)),
    };
  }, [drop]);
  return (
    <SayContext value={say}>
      {children}
      <section aria-label="Messages" aria-live="polite" className="toasts">
        {toasts.map((toast) => (
          <div
            className={`toast ${toast.tone}`}
            key={toast.id}
            role={toast.tone === "bad" ? "alert" : "status"}
          >
            <Icon name={toast.tone === "bad" ? "warning" : "check"} />
            <div>{toast.text}</div>
            <ActionIcon
              aria-label="Dismiss"
              color="gray"
              onClick={() => drop(toast.id)}
              size="sm"
              variant="subtle"
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
        ))}
      </section>
    </SayContext>
  );
}
