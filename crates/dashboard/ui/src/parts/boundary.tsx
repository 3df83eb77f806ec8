// What is shown when a page breaks: the frame stays, and there is a way on.

import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Icon } from "./icons";

type Props = { readonly children: ReactNode };
type State = { readonly broken: string | null };

export class Boundary extends Component<Props, State> {
  override state: State = { broken: null };

  static getDerivedStateFromError(thrown: unknown): State {
    return { broken: thrown instanceof Error ? thrown.message : String(thrown) };
  }

  override render(): ReactNode {
    if (this.state.broken === null) {
      return this.props.children;
    }
    return (
      <div className="panel">
        <div className="state failed" role="alert">
          <span className="mark">
            <Icon name="warning" size={22} />
          </span>
          <h3>This page broke</h3>
          <p>Nothing was changed by it. Load it again; if it stays so, report this: {this.state.broken}</p>
          <div className="actions">
            <Button onClick={() => window.location.reload()} variant="default">
              Load again
            </Button>
          </div>
        </div>
      </div>
    );
  }
}
