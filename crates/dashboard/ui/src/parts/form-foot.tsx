// The end of a form in a dialog: leave it, or do it.

import { Button } from "@mantine/core";

export function FormFoot({
  action,
  cancel = "Cancel",
  isBusy,
  onClose,
}: {
  readonly action: string;
  readonly cancel?: string;
  readonly isBusy: boolean;
  readonly onClose: () => void;
}) {
  return (
    <div className="form-foot">
      <Button onClick={onClose} variant="default">
        {cancel}
      </Button>
      <Button loading={isBusy} type="submit">
        {action}
      </Button>
    </div>
  );
}
