// Names and values, one pair a line: an endpoint's own headers.

import { ActionIcon, Button, Input, TextInput } from "@mantine/core";
import { Icon } from "./icons";

export type Pair = { readonly name: string; readonly value: string };

export function Pairs({
  label,
  description,
  value,
  onChange,
  error,
}: {
  readonly label: string;
  readonly description?: string;
  readonly value: readonly Pair[];
  readonly onChange: (value: readonly Pair[]) => void;
  readonly error?: string | null;
}) {
  const put = (index: number, part: Partial<Pair>) =>
    onChange(value.map((pair, at) => (at === index ? { ...pair, ...part } : pair)));
  return (
    <Input.Wrapper description={description} error={error} label={label} labelElement="div">
      <div className="stack tight" style={{ paddingTop: 6 }}>
        {value.map((pair, index) => (
          <div className="line" key={index} style={{ flexWrap: "nowrap" }}>
            <TextInput
              aria-label={`Name of header ${index + 1}`}
              flex={2}
              onChange={(event) => put(index, { name: event.currentTarget.value })}
              placeholder="Name"
              spellCheck={false}
              value={pair.name}
            />
            <TextInput
              aria-label={`Value of header ${index + 1}`}
              flex={3}
              onChange={(event) => put(index, { value: event.currentTarget.value })}
              placeholder="Value"
              spellCheck={false}
              value={pair.value}
            />
            <ActionIcon
              aria-label={`Remove header ${index + 1}`}
              color="gray"
              onClick={() => onChange(value.filter((_, at) => at !== index))}
              variant="subtle"
            >
              <Icon name="close" size={16} />
            </ActionIcon>
          </div>
        ))}
        <div>
          <Button
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => onChange([...value, { name: "", value: "" }])}
            size="compact-sm"
            variant="default"
          >
            Add header
          </Button>
        </div>
      </div>
    </Input.Wrapper>
  );
}

export function pairsOf(headers: Readonly<Record<string, string>> | null | undefined): Pair[] {
  return Object.entries(headers ?? {}).map(([name, value]) => ({ name, value }));
}
