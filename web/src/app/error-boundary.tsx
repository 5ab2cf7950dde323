// What if a page breaks? The shell stays, and says so; another URL is another try.
import { Component, type ReactNode } from "react";

import { Broken } from "@/app/broken";

interface Props {
  /** Where the reader is: somewhere else, what broke is forgotten. */
  at: string;
  children: ReactNode;
}

interface State {
  broken: boolean;
  error: unknown;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { broken: false, error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { broken: true, error };
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.broken && before.at !== this.props.at) this.setState({ broken: false });
  }

  override render(): ReactNode {
    return this.state.broken ? <Broken error={this.state.error} /> : this.props.children;
  }
}
