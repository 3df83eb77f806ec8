// Asks once before something is lost, in a dialog that names it.

import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { reason } from "../lib/problem";
import { Note } from "./basics";

export function Confirm({
  open,
  title,
  children,
  action,
  isBusy,
  error,
  onClose,
  onConfirm,
  danger = true,
}: {
  readonly open: boolean;
  readonly title: string;
  readonly children: ReactNode;
  readonly action: string;
  readonly isBusy: boolean;
  readonly error?: unknown;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  readonly danger?: boolean;
}) {
  return (
    <Modal closeButtonProps={{ "aria-label": "Close" }} onClose={onClose} opened={open} title={title}>
      <div className="stack">
        <div>{children}</div>
        {error !== undefined && error !== null && (
          <Note live tone="bad">
            {reason(error)}
          </Note>
        )}
        <div className="form-foot">
          <Button data-autofocus onClick={onClose} variant="default">
            Cancel
          </Button>
          <Button {...(danger ? { color: "red" } : {})} loading={isBusy} onClick={onConfirm}>
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
