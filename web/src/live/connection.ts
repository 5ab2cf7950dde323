// Is what the page shows live, and what is done about it if not?
import { clock } from "@/live/clock";

export type ConnectionStatus =
  /** The page has just begun. */
  | "connecting"
  /** Every change comes as it happens. */
  | "live"
  /** The connection was lost; it is tried again and again. What is shown may be old. */
  | "reconnecting"
  /** The stream does not come through; the page asks every few seconds instead. */
  | "stale";

export interface Connection {
  readonly status: ConnectionStatus;
  /** When all that is shown was last right, by the service's clock in milliseconds; undefined: now, or never. */
  readonly rightAt: number | undefined;
}

/** A short interruption, such as a gateway that is replaced, is none to tell of. */
const GRACE_MS = 1000;

/** What the stream and the polls report, made into one status. */
export class ConnectionState {
  private connection: Connection = { status: "connecting", rightAt: undefined };
  private live = false;
  private polled = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  readonly now = (): Connection => this.connection;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get isLive(): boolean {
    return this.live;
  }

  /** The stream is open, or has brought something. */
  heard(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.live = true;
    this.polled = false;
    this.show({ status: "live", rightAt: undefined });
  }

  /** The stream has ended. */
  lost(): void {
    if (!this.live) return;
    this.live = false;
    this.show({ status: "live", rightAt: clock.now() });
    this.timer = setTimeout(() => this.withoutStream(), GRACE_MS);
  }

  /** The page has asked for itself, and was answered or not. */
  asked(answered: boolean): void {
    if (this.live) return;
    clearTimeout(this.timer);
    this.polled = answered;
    this.withoutStream(answered ? clock.now() : this.connection.rightAt);
  }

  private withoutStream(rightAt = this.connection.rightAt): void {
    this.show({ status: this.polled ? "stale" : "reconnecting", rightAt });
  }

  private show(connection: Connection): void {
    const { status, rightAt } = this.connection;
    if (connection.status === status && connection.rightAt === rightAt) return;
    this.connection = connection;
    this.listeners.forEach((tell) => tell());
  }
}
