// Picks events: from the catalogue, by prefix, in free text, or all of them.

import { Input, Switch, TextInput } from "@mantine/core";
import { useId, useMemo, useState } from "react";
import { prefixes } from "../lib/patterns";
import { Foreign } from "./basics";
import { Icon } from "./icons";

export type PickerType = {
  readonly name: string;
  readonly description?: string | null;
  readonly group?: string | null;
  readonly deprecated?: boolean;
};

export function EventPicker({
  value,
  onChange,
  types,
  error,
}: {
  readonly value: readonly string[];
  readonly onChange: (value: readonly string[]) => void;
  readonly types: readonly PickerType[];
  readonly error?: string | null;
}) {
  const [text, setText] = useState("");
  const id = useId();
  const all = value.includes("*");
  const chosen = useMemo(() => new Set(value), [value]);

  const groups = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const hit = (type: PickerType) =>
      wanted === "" ||
      `${type.name} ${type.description ?? ""} ${type.group ?? ""}`.toLowerCase().includes(wanted);
    const found = new Map<string, PickerType[]>();
    for (const type of types.filter((it) => hit(it) && (!it.deprecated || chosen.has(it.name)))) {
      const group = type.group ?? type.name.split(".")[0] ?? "";
      found.set(group, [...(found.get(group) ?? []), type]);
    }
    const families = prefixes(types.map((it) => it.name)).filter(
      (it) => wanted === "" || it.includes(wanted),
    );
    return { found: [...found], families };
  }, [types, text, chosen]);

  const toggle = (name: string) =>
    onChange(chosen.has(name) ? value.filter((it) => it !== name) : [...value, name]);
  const typed = text.trim();
  const addTyped = () => {
    if (typed !== "" && !chosen.has(typed)) {
      onChange([...value, typed]);
    }
    setText("");
  };

  const option = (name: string, description: string | null) => (
    <label key={name}>
      <input checked={chosen.has(name)} onChange={() => toggle(name)} type="checkbox" />
      <span>
        <span className="mono">{name}</span>
        {description !== null && <span className="dim small"> {description}</span>}
      </span>
    </label>
  );

  return (
    <Input.Wrapper
      description="Only these are delivered. An explicit list stays the same when new types are added."
      error={error}
      id={id}
      label="Events"
      labelElement="div"
      required
    >
      <div className="stack tight" style={{ paddingTop: 8 }}>
        <Switch
          checked={all}
          label="All events"
          onChange={(event) => onChange(event.currentTarget.checked ? ["*"] : [])}
        />
        {!all && (
          <>
            <TextInput
              aria-label="Events"
              autoComplete="off"
              leftSection={<Icon name="search" size={16} />}
              onChange={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter") {
                  event.preventDefault();
                  addTyped();
                }
              }}
              placeholder="Search, or type an event such as order.created or order.*"
              spellCheck={false}
              value={text}
            />
            <fieldset
              className="picker"
              style={{ margin: 0, minWidth: 0, paddingInline: 0, paddingBlock: 0 }}
            >
              <legend className="spoken">Event types</legend>
              <div className="picker-list">
                {typed !== "" &&
                  !types.some((it) => it.name === typed) &&
                  !groups.families.includes(typed) && (
                    <label>
                      <input checked={chosen.has(typed)} onChange={addTyped} type="checkbox" />
                      <span>
                        Add “<span className="mono">{typed}</span>”
                      </span>
                    </label>
                  )}
                {groups.families.length > 0 && (
                  <>
                    <div className="picker-group">Families</div>
                    {groups.families.map((name) => option(name, null))}
                  </>
                )}
                {groups.found.map(([group, list]) => (
                  <div key={group}>
                    <div className="picker-group">
                      <Foreign text={group} />
                    </div>
                    {list.map((type) => option(type.name, type.description ?? null))}
                  </div>
                ))}
                {types.length === 0 && typed === "" && (
                  <div className="picker-group">The catalogue is empty: type the events by name.</div>
                )}
              </div>
              {value.length > 0 && (
                <ul aria-label="Chosen" className="picker-chosen" style={{ margin: 0, listStyle: "none" }}>
                  {value.map((name) => (
                    <li className="chip" key={name}>
                      <Foreign text={name} />
                      <button aria-label={`Remove ${name}`} onClick={() => toggle(name)} type="button">
                        <Icon name="close" size={12} />
                      </button>
                    </li>
                  ))}
                </ul>
              )}
            </fieldset>
          </>
        )}
      </div>
    </Input.Wrapper>
  );
}
