// How do the jobs come to the page? By one WatchJobs stream, and by asking while that is not there.
//
//   stream ─▶ store      a lost one is begun again from its cursor, after a growing pause
//   polls  ─▶ store      while no stream is open: all open jobs and the newest, every few seconds
//   doubts ─▶ GetJob     jobs of which the stream could not say how they went on
//
// A page that nobody sees for a while gives its connection back: a browser has six to a host.
import { Code, ConnectError, type Client } from "@connectrpc/connect";

import type { GenerationService } from "@/gen/mediagen/v1/generation_service_pb";

import { clock } from "@/live/clock";
import type { ConnectionState } from "@/live/connection";
import { resolveDoubts } from "@/live/doubts";
import type { LiveStore } from "@/live/live-store";
import { poll } from "@/live/poll";
import { pageShown, stirred } from "@/live/page-life";
import { pause, pauseAfter, Watchdog, within } from "@/live/waiting";

export type JobCalls = Pick<Client<typeof GenerationService>, "getJob" | "listJobs" | "watchJobs">;

/** Snapshots come at once, or the stream does not come through. */
const PATIENCE_AT_START_MS = 10_000;
/** Something comes every 15 seconds: two heartbeats may be late. */
const PATIENCE_MS = 40_000;
const POLL_AFTER_MS = 2_500;
const POLL_EVERY_MS = 4_000;

export class Feed {
  constructor(
    private readonly calls: JobCalls,
    private readonly store: LiveStore,
    private readonly connection: ConnectionState,
  ) {}

  /** Begins; the answer ends it. */
  start(): () => void {
    const stop = new AbortController();
    void this.follow(stop.signal);
    void this.pollWhileNotLive(stop.signal);
    const release = resolveDoubts(this.calls, this.store, stop.signal);
    return () => {
      release();
      stop.abort();
    };
  }

  private async follow(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      const shown = await pageShown(stop);
      failures = (await this.stream(shown.signal)) ? 1 : failures + 1;
      shown.abort();
      const wait = within(stop);
      const release = stirred(() => wait.abort());
      await pause(pauseAfter(failures), wait.signal);
      release();
      wait.abort();
    }
  }

  /** One stream, until it ends. Whether it has brought anything. */
  private async stream(stop: AbortSignal): Promise<boolean> {
    const { cursor } = this.store.now();
    const attempt = within(stop);
    const watchdog = new Watchdog(attempt);
    let heard = false;
    const open = (): void => {
      watchdog.heard(cursor === "" ? PATIENCE_AT_START_MS : PATIENCE_MS);
      // Who goes on from a cursor may be told nothing for long; who begins is always told something.
      if (cursor !== "") this.connection.heard();
    };
    watchdog.heard(PATIENCE_AT_START_MS);
    try {
      this.store.tell({ kind: "opened", cursor });
      const options = { signal: attempt.signal, onHeader: open };
      for await (const message of this.calls.watchJobs({ cursor }, options)) {
        heard = true;
        watchdog.heard(PATIENCE_MS);
        clock.hear(message);
        this.store.tell({ kind: "message", message });
        this.connection.heard();
      }
    } catch (error) {
      // A cursor that is refused leads nowhere: begin anew.
      const refused = ConnectError.from(error).code === Code.InvalidArgument;
      if (refused) this.store.tell({ kind: "opened", cursor: "" });
    } finally {
      watchdog.stop();
      attempt.abort();
      this.store.take();
      this.connection.lost();
    }
    return heard;
  }

  private async pollWhileNotLive(stop: AbortSignal): Promise<void> {
    await pause(POLL_AFTER_MS, stop);
    while (!stop.aborted) {
      const shown = await pageShown(stop);
      if (!this.connection.isLive)
        this.connection.asked(await poll(this.calls, this.store, shown.signal));
      shown.abort();
      await pause(POLL_EVERY_MS * (0.75 + Math.random() / 2), stop);
    }
  }
}
