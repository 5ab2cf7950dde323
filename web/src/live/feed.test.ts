// The page comes back by itself, from where it was, and shows what is right meanwhile.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import {
  GetJobResponseSchema,
  ListJobsResponseSchema,
  SyncedSchema,
  WatchHeartbeatSchema,
  WatchJobsResponseSchema,
  type WatchJobsResponse,
} from "@/gen/mediagen/v1/generation_service_pb";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { ConnectionState } from "@/live/connection";
import { Feed, type JobCalls } from "@/live/feed";
import { LiveStore } from "@/live/live-store";
import { aJob, bare } from "@/testing/jobs";

/** A service of which a test decides what it answers. */
class Service {
  readonly cursors: string[] = [];
  jobs: Job[] = [];
  reachable = true;
  lists = 0;
  gets: string[] = [];
  private streams: Stream[] = [];

  readonly calls: JobCalls = {
    watchJobs: ({ cursor = "" }, options) => {
      const stream = new Stream(options?.signal);
      this.cursors.push(cursor);
      this.streams.push(stream);
      if (this.reachable) options?.onHeader?.(new Headers());
      else stream.fail(new ConnectError("down", Code.Unavailable));
      return stream.messages();
    },
    listJobs: ({ states = [] }) => {
      this.lists += 1;
      if (!this.reachable) return Promise.reject(new ConnectError("down", Code.Unavailable));
      const jobs = this.jobs.filter(({ state }) => !states.length || states.includes(state));
      return Promise.resolve(create(ListJobsResponseSchema, { jobs }));
    },
    getJob: ({ jobId = "" }) => {
      this.gets.push(jobId);
      const job = this.jobs.find((one) => one.jobId === jobId);
      if (!job) return Promise.reject(new ConnectError("no such job", Code.NotFound));
      return Promise.resolve(create(GetJobResponseSchema, { job }));
    },
  };

  get stream(): Stream {
    const last = this.streams.at(-1);
    if (!last) throw new Error("no stream was asked for");
    return last;
  }
}

class Stream {
  private waiting: (() => void) | undefined;
  private readonly queue: (WatchJobsResponse | Error)[] = [];
  aborted = false;

  constructor(signal?: AbortSignal) {
    signal?.addEventListener("abort", () => {
      this.aborted = true;
      this.fail(new ConnectError("aborted", Code.Canceled));
    });
  }

  send(event: WatchJobsResponse["event"], cursor = ""): void {
    this.queue.push(create(WatchJobsResponseSchema, { event, cursor }));
    this.waiting?.();
  }

  sync(cursor: string): void {
    this.send({ case: "synced", value: create(SyncedSchema) }, cursor);
  }

  fail(error: Error): void {
    this.queue.push(error);
    this.waiting?.();
  }

  async *messages(): AsyncGenerator<WatchJobsResponse> {
    for (;;) {
      const next = this.queue.shift();
      if (next instanceof Error) throw next;
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.waiting = resolve));
    }
  }
}

const [waiting, running] = [1, 2].map((revision) =>
  aJob({ jobId: "a", revision, state: revision === 1 ? Job_State.PENDING : Job_State.RUNNING }),
) as [Job, Job];
const over = aJob({ jobId: "a", revision: 3, state: Job_State.COMPLETED });

let service: Service;
let store: LiveStore;
let connection: ConnectionState;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  service = new Service();
  store = new LiveStore();
  connection = new ConnectionState();
  stop = () => undefined;
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

async function start(): Promise<void> {
  stop = new Feed(service.calls, store, connection).start();
  await vi.advanceTimersByTimeAsync(100);
}

async function live(): Promise<void> {
  await start();
  service.stream.send({ case: "snapshot", value: waiting });
  service.stream.sync("c1");
  await vi.advanceTimersByTimeAsync(100);
}

it("is live with the first message, and asks nothing then", async () => {
  await start();
  expect(connection.now().status).toBe("connecting");
  service.stream.sync("c1");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connection.now().status).toBe("live");
  expect(service.lists).toBe(0);
});

it("goes on from the cursor after a lost connection, and misses nothing", async () => {
  await live();
  service.stream.fail(new ConnectError("cut", Code.Unavailable));
  await vi.advanceTimersByTimeAsync(600);
  expect(service.cursors).toEqual(["", "c1"]);
  expect(connection.now().status).toBe("live");
  service.stream.send({ case: "update", value: bare(over) }, "c2");
  await vi.advanceTimersByTimeAsync(100);
  expect(store.job("a")?.state).toBe(Job_State.COMPLETED);
});

it("begins anew when it was cut before synced", async () => {
  await start();
  service.stream.send({ case: "snapshot", value: waiting });
  service.stream.fail(new ConnectError("cut", Code.Unavailable));
  await vi.advanceTimersByTimeAsync(1000);
  expect(service.cursors).toEqual(["", ""]);
});

it("begins anew when its cursor is refused, and asks how it went on with open jobs", async () => {
  await live();
  service.jobs = [over];
  service.stream.fail(new ConnectError("not one of ours", Code.InvalidArgument));
  await vi.advanceTimersByTimeAsync(1000);
  expect(service.cursors).toEqual(["", ""]);
  service.stream.sync("d1");
  await vi.advanceTimersByTimeAsync(100);
  expect(service.gets).toEqual(["a"]);
  expect(store.job("a")?.state).toBe(Job_State.COMPLETED);
});

it("gives up a stream that has fallen silent", async () => {
  await live();
  const silent = service.stream;
  await vi.advanceTimersByTimeAsync(39_000);
  expect(silent.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(silent.aborted).toBe(true);
  expect(service.cursors).toEqual(["", "c1"]);
});

it("asks every few seconds while the stream brings nothing, and no more once it does", async () => {
  service.jobs = [running];
  await start();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(connection.now().status).toBe("stale");
  expect(store.job("a")).toEqual(running);
  service.jobs = [over];
  await vi.advanceTimersByTimeAsync(6_000);
  expect(store.job("a")?.state).toBe(Job_State.COMPLETED);
  service.stream.sync("c1");
  await vi.advanceTimersByTimeAsync(6_000);
  const asked = service.lists;
  expect(connection.now().status).toBe("live");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(service.lists).toBe(asked);
});

it("asks for a job that is no longer among the open ones", async () => {
  service.jobs = [running];
  await start();
  await vi.advanceTimersByTimeAsync(3_000);
  service.jobs = [];
  await vi.advanceTimersByTimeAsync(6_000);
  expect(service.gets).toEqual(["a"]);
  expect(store.job("a")).toBeUndefined();
});

it("says so when nothing answers, tries ever less often, and comes back", async () => {
  await live();
  service.reachable = false;
  service.stream.fail(new ConnectError("cut", Code.Unavailable));
  await vi.advanceTimersByTimeAsync(500);
  expect(connection.now().status).toBe("live"); // a short interruption is none to tell of
  await vi.advanceTimersByTimeAsync(5_000);
  expect(connection.now().status).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(60_000);
  const tries = service.cursors.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(service.cursors.length - tries).toBeLessThanOrEqual(5);
  service.reachable = true;
  window.dispatchEvent(new Event("online")); // it does not wait for its turn then
  await vi.advanceTimersByTimeAsync(50);
  expect(connection.now().status).toBe("live");
  expect(service.cursors.at(-1)).toBe("c1");
});

it("gives its connection back while nobody sees the page, and goes on when somebody does", async () => {
  await live();
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  document.dispatchEvent(new Event("visibilitychange"));
  const beats = async (count: number): Promise<void> => {
    for (let beat = 0; beat < count; beat += 1) {
      service.stream.send({ case: "heartbeat", value: create(WatchHeartbeatSchema) }, "c1");
      await vi.advanceTimersByTimeAsync(15_000);
    }
  };
  await beats(3);
  expect(service.stream.aborted).toBe(false);
  await beats(2);
  expect(service.stream.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(service.cursors).toEqual([""]);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(100);
  expect(service.cursors.at(-1)).toBe("c1");
  expect(connection.now().status).toBe("live");
});

it("ends all it does when it is stopped", async () => {
  await live();
  stop();
  await vi.advanceTimersByTimeAsync(100);
  expect(service.stream.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(service.cursors).toEqual([""]);
  expect(service.lists).toBe(0);
});
