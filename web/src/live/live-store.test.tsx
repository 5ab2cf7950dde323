// A thousand cards must not be drawn anew because one job has moved.
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Job_State } from "@/gen/mediagen/v1/job_pb";
import { ConnectionState } from "@/live/connection";
import { useJob, useJobs } from "@/live/hooks";
import { LiveContext } from "@/live/live-provider";
import { LiveStore } from "@/live/live-store";
import { aJob, bare, message } from "@/testing/jobs";

const MANY = 1000;
const jobs = Array.from({ length: MANY }, (_, at) => aJob({ jobId: `job-${at}` }));
const moved = bare(aJob({ jobId: "job-7", revision: 2, state: Job_State.RUNNING }));

function inStore(store: LiveStore, children: React.ReactNode): void {
  const live = { store, connection: new ConnectionState() };
  render(<LiveContext value={live}>{children}</LiveContext>);
}

describe("subscriptions", () => {
  it("redraw the card of the job that has moved, and no other", () => {
    const store = new LiveStore();
    store.absorb(jobs);
    const drawn = new Map<string, number>();
    function Card({ jobId }: { jobId: string }) {
      drawn.set(jobId, (drawn.get(jobId) ?? 0) + 1);
      return <p>{`${jobId}: ${useJob(jobId)?.revision}`}</p>;
    }
    inStore(
      store,
      jobs.map(({ jobId }) => <Card key={jobId} jobId={jobId} />),
    );
    drawn.clear();
    act(() => {
      store.tell(message({ case: "update", value: moved }));
      store.take();
    });
    expect([...drawn]).toEqual([["job-7", 1]]);
    expect(screen.getByText("job-7: 2")).toBeInTheDocument();
  });

  it("of a list redraw it when a job comes into it, leaves it or moves in it", () => {
    const store = new LiveStore();
    store.absorb(jobs);
    let drawn = 0;
    function Running() {
      drawn += 1;
      const running = useJobs({ states: [Job_State.RUNNING] });
      return <p>{`${running.length} running`}</p>;
    }
    inStore(store, <Running />);
    act(() => store.absorb([aJob({ jobId: "job-8", revision: 2 })]));
    expect(drawn).toBe(1);
    act(() => store.absorb([aJob({ jobId: "job-7", revision: 2, state: Job_State.RUNNING })]));
    expect(screen.getByText("1 running")).toBeInTheDocument();
  });
});

describe("gathering", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("takes a burst of messages as one change", () => {
    const store = new LiveStore();
    const heard = vi.fn();
    store.subscribe(heard);
    for (const job of jobs) store.tell(message({ case: "snapshot", value: job }));
    expect(heard).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(store.now().order).toHaveLength(MANY);
  });

  it("takes what a call has answered at once, behind what was told before it", () => {
    const store = new LiveStore();
    store.tell(message({ case: "snapshot", value: aJob({ jobId: "a", revision: 1 }) }));
    store.absorb([aJob({ jobId: "a", revision: 2 })]);
    expect(store.job("a")?.revision).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});
