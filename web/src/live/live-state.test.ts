// What the page knows must not depend on the order, the number or the way of what it is told.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";

import {
  ForecastsSchema,
  SyncedSchema,
  WatchGapSchema,
} from "@/gen/mediagen/v1/generation_service_pb";
import { Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { NOTHING_KNOWN, reduce, type LiveState, type News } from "@/live/live-state";
import { aJob, bare, message, NOON } from "@/testing/jobs";

const snapshot = (job: Job, cursor = ""): News => message({ case: "snapshot", value: job }, cursor);
const update = (job: Job, cursor = ""): News => message({ case: "update", value: job }, cursor);
const synced = (cursor: string): News =>
  message({ case: "synced", value: create(SyncedSchema) }, cursor);
const gap = (restored = false): News =>
  message({ case: "gap", value: create(WatchGapSchema, { restored }) });
const opened = (cursor = ""): News => ({ kind: "opened", cursor });
const read = (jobs: readonly Job[], epoch = 0): News => ({ kind: "read", jobs, epoch });

/** Three revisions of a job: waiting, running, completed. */
function life(jobId: string): [Job, Job, Job] {
  const states = [Job_State.PENDING, Job_State.RUNNING, Job_State.COMPLETED];
  const revisions = states.map((state, at) => aJob({ jobId, state, revision: at + 1 }));
  return revisions as [Job, Job, Job];
}

function told(news: readonly News[], before: LiveState = NOTHING_KNOWN): LiveState {
  return news.reduce((state, one) => reduce(state, [one]), before);
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) yield [...items];
  for (const [at, item] of items.entries())
    for (const rest of permutations(items.toSpliced(at, 1))) yield [item, ...rest];
}

describe("of each job the higher revision is kept", () => {
  const [a1, a2, a3] = life("a");
  const [b1, b2] = life("b");
  const all = [snapshot(a1), update(bare(a2)), update(bare(a3)), snapshot(b1), update(bare(b2))];

  it("in whatever order the two jobs' revisions come, each once or twice", () => {
    for (const order of permutations(all)) {
      for (const news of [order, order.flatMap((one) => [one, one]), [...order, ...order]]) {
        // Whoever is told of a revision without the request asks for the job.
        const state = told([opened("c"), ...news, read([a3, b2])]);
        expect(state.jobs.get("a")).toEqual(a3);
        expect(state.jobs.get("b")).toEqual(b2);
        expect(state.doubtful.size).toBe(0);
      }
    }
  });

  it("one by one or all at once", () => {
    for (const order of permutations(all)) {
      const batch = reduce(NOTHING_KNOWN, [opened("c"), ...order]);
      expect(batch).toEqual(told([opened("c"), ...order]));
    }
  });

  it("whether it was read or streamed", () => {
    for (const order of permutations([read([a1]), update(bare(a2)), read([a3]), read([a2])])) {
      expect(told([opened("c"), ...order]).jobs.get("a")).toEqual(a3);
    }
  });
});

describe("the request", () => {
  it("is kept when updates leave it out", () => {
    const [first, second] = life("a");
    const state = told([opened(), snapshot(first), update(bare(second))]);
    expect(state.jobs.get("a")?.request).toEqual(first.request);
  });

  it("is asked for when an update comes without it for a job that nobody has shown", () => {
    const [, second, third] = life("a");
    const state = told([opened("c"), update(bare(second), "d")]);
    expect([...state.jobs.keys()]).toEqual([]);
    expect([...state.doubtful]).toEqual(["a"]);
    expect([...told([read([third])], state).doubtful]).toEqual([]);
  });
});

describe("the cursor", () => {
  const [job] = life("a");

  it("is empty until synced, and that of the last message after it", () => {
    const before = told([opened(), snapshot(job), update(job)]);
    expect(before.cursor).toBe("");
    const after = told([synced("c1"), update(bare({ ...job, revision: 2 }), "c2")], before);
    expect(after.cursor).toBe("c2");
  });

  it("stays that of before a gap until synced: who is cut in between comes to the gap again", () => {
    expect(told([opened("c1"), gap(), snapshot(job)]).cursor).toBe("c1");
    expect(told([opened("c1"), gap(), snapshot(job), synced("c2")]).cursor).toBe("c2");
  });
});

describe("snapshots", () => {
  const [open] = life("open");
  const [, , over] = life("over");

  it("leave jobs in doubt that were open and are not among them", () => {
    const before = told([opened(), snapshot(open), synced("c"), read([over])]);
    const after = told([opened(), synced("d")], before);
    expect([...after.doubtful]).toEqual(["open"]);
    expect([...told([{ kind: "gone", jobId: "open", epoch: 0 }], after).jobs.keys()]).toEqual([
      "over",
    ]);
  });

  it("settle what they show, also what was updated among them", () => {
    const before = told([opened(), snapshot(open), synced("c")]);
    for (const event of [snapshot(open), update(bare({ ...open, revision: 9 }))])
      expect(told([opened(), event, synced("d")], before).doubtful.size).toBe(0);
  });

  it("do not put in doubt what goes on from a cursor", () => {
    const before = told([opened(), snapshot(open), synced("c")]);
    expect(told([opened("c"), synced("d")], before).doubtful.size).toBe(0);
  });

  it("make lists that were read before be read anew, once each time they are over", () => {
    const first = told([opened(), snapshot(open), synced("c")]);
    expect(first.generation).toBe(1);
    expect(told([opened("c"), update(bare({ ...open, revision: 2 }), "d")], first).generation).toBe(
      1,
    );
    expect(told([opened(), synced("d")], first).generation).toBe(2);
  });
});

describe("a restored service", () => {
  const [, running, over] = life("a");
  const before = told([opened(), snapshot(running), update(bare(over)), synced("c")]);

  it("makes forget revisions that are no more", () => {
    const after = told([opened("c"), gap(true), snapshot(running), synced("d")], before);
    expect(after.jobs.get("a")).toEqual(running);
    expect(after.generation).toBeGreaterThan(before.generation);
  });

  it("makes answers useless that were asked for before it", () => {
    const after = told(
      [opened("c"), gap(true), snapshot(running), read([over], before.epoch)],
      before,
    );
    expect(after.jobs.get("a")).toEqual(running);
    expect(told([read([over], after.epoch)], after).jobs.get("a")).toEqual(over);
  });

  it("and a gap without it forgets nothing", () => {
    expect(told([opened("c"), gap(), synced("d")], before).jobs.get("a")?.revision).toBe(3);
  });
});

describe("forecasts", () => {
  const [waiting, running, over] = life("a");
  const forecast = (asOf: number, jobsAhead: number): News => {
    const value = { jobId: "a", forecast: { asOf: timestampFromMs(NOON + asOf), jobsAhead } };
    return message({ case: "forecasts", value: create(ForecastsSchema, { forecasts: [value] }) });
  };
  const ahead = (news: readonly News[]): number | undefined =>
    told([opened(), snapshot(waiting), ...news]).jobs.get("a")?.forecast?.jobsAhead;

  it("count when they are later, whatever the revision", () => {
    expect(ahead([forecast(1, 5), forecast(3, 2), forecast(2, 4)])).toBe(2);
  });

  it("stay over updates, which come without, and end with the job", () => {
    expect(ahead([forecast(1, 5), update(bare({ ...waiting, revision: 2 }))])).toBe(5);
    expect(ahead([forecast(1, 5), update(bare(over))])).toBeUndefined();
    expect(ahead([update(bare(over)), forecast(9, 5)])).toBeUndefined();
  });

  it("of a run say nothing of the wait after it", () => {
    const waitsAgain = { ...waiting, revision: 5 };
    expect(
      ahead([update(bare(running)), forecast(1, 5), update(bare(waitsAgain))]),
    ).toBeUndefined();
  });
});

describe("without a stream", () => {
  const [open, running] = life("a");
  const list = (jobs: readonly Job[]): News => ({ kind: "open jobs", jobs, epoch: 0 });

  it("open jobs that are no longer listed as open are asked for", () => {
    const state = told([list([open]), list([])]);
    expect([...state.doubtful]).toEqual(["a"]);
    expect([...told([list([running])], state).doubtful]).toEqual([]);
  });

  it("lists can be read from the first answer on", () => {
    expect(told([list([])]).generation).toBe(1);
  });
});

describe("the order", () => {
  it("is newest first, whatever the order in which jobs are told", () => {
    const jobs = [3, 1, 2, 2].map((second, at) =>
      aJob({ jobId: `job-${at}`, createTime: timestampFromMs(NOON + second * 1000) }),
    );
    for (const order of permutations(jobs)) {
      const state = told(order.map((job) => snapshot(job)));
      expect(state.order.map(({ jobId }) => jobId)).toEqual(["job-0", "job-3", "job-2", "job-1"]);
    }
  });

  it("holds the jobs as they are now", () => {
    const [first, second] = life("a");
    expect(told([snapshot(first), update(bare(second))]).order[0]?.revision).toBe(2);
  });
});

it("news that tell nothing new change nothing", () => {
  const [first, second] = life("a");
  const state = told([opened(), snapshot(first), update(bare(second)), synced("c")]);
  for (const news of [update(bare(second), "c"), snapshot(first), read([second]), read([first], 7)])
    expect(reduce(state, [news])).toBe(state);
});

it("of more jobs than are kept, the oldest that are final go, and lists are read anew", () => {
  const jobs = Array.from({ length: 20 }, (_, at) =>
    aJob({
      jobId: `job-${at}`,
      createTime: timestampFromMs(NOON + at),
      state: at === 0 ? Job_State.RUNNING : Job_State.COMPLETED,
    }),
  );
  const before = reduce(NOTHING_KNOWN, [read(jobs.slice(0, 19))], 20);
  const after = reduce(before, [read(jobs), read([aJob({ jobId: "one-more" })])], 20);
  expect(before.order).toHaveLength(19);
  expect(after.order).toHaveLength(18);
  expect(after.jobs.has("job-0")).toBe(true);
  expect(after.jobs.has("job-1")).toBe(false);
  expect(after.generation).toBe(before.generation + 1);
});
