// A card says what happened, what it cost and what can be done; and asks before it may cost more.
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";

import { generation } from "@/api/clients";
import { Attempt_State, Charge } from "@/gen/mediagen/v1/attempt_pb";
import { RetryAdvice } from "@/gen/mediagen/v1/failure_pb";
import {
  CancelJobResponseSchema,
  SubmitJobResponseSchema,
} from "@/gen/mediagen/v1/generation_service_pb";
import { Job_Stage, Job_State, type Job } from "@/gen/mediagen/v1/job_pb";
import { JobActionsProvider } from "@/jobs/job-actions";
import { JobCard } from "@/jobs/job-card";
import { ConnectionState } from "@/live/connection";
import { LiveContext } from "@/live/live-provider";
import { LiveStore } from "@/live/live-store";
import { aJob, NOON } from "@/testing/jobs";
import { create } from "@bufbuild/protobuf";

let store: LiveStore;

beforeEach(() => {
  store = new LiveStore();
});

function show(job: Job): void {
  store.absorb([job]);
  render(
    <LiveContext value={{ store, connection: new ConnectionState() }}>
      <MemoryRouter>
        <JobActionsProvider>
          <JobCard job={job} />
        </JobActionsProvider>
      </MemoryRouter>
    </LiveContext>,
  );
}

function failed(retryAdvice: RetryAdvice, charge: Charge): Job {
  const failure = { message: "The provider went away.", retryAdvice };
  const request = { model: "a/b", prompt: "a fox", input: { seed: 7 }, labels: { team: "films" } };
  return aJob({ jobId: "a", state: Job_State.FAILED, charge, failure, request });
}

it("shows stage, percent, time and attempt of a running job", () => {
  show(
    aJob({
      jobId: "a",
      state: Job_State.RUNNING,
      stage: Job_Stage.PROCESSING,
      progressPercent: 40,
      startTime: timestampFromMs(Date.now() - 65_000),
      attempts: [{ number: 1 }, { number: 2 }],
    }),
  );
  expect(screen.getByRole("progressbar", { name: "Processing" })).toHaveAttribute(
    "aria-valuenow",
    "40",
  );
  expect(screen.getByText("1:05")).toBeInTheDocument();
  expect(screen.getByText("Attempt 2")).toBeInTheDocument();
});

it("shows the place in the line of a waiting job", () => {
  show(aJob({ jobId: "a", forecast: { jobsAhead: 3 } }));
  expect(screen.getByText("3 ahead")).toBeInTheDocument();
  expect(screen.queryByRole("progressbar")).toBeNull();
});

it("of a failed job says why and whether it was charged, and submits the same again", async () => {
  const submit = vi
    .spyOn(generation, "submitJob")
    .mockResolvedValue(create(SubmitJobResponseSchema, { job: aJob({ jobId: "b" }) }));
  show(failed(RetryAdvice.RETRY, Charge.NO));
  expect(screen.getByText("The provider went away.")).toBeInTheDocument();
  expect(screen.getByText("Not charged")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(submit.mock.calls[0]?.[0]).toMatchObject({
    model: "a/b",
    prompt: "a fox",
    input: { seed: 7 },
    labels: { team: "films" },
  });
  await vi.waitFor(() => expect(store.job("b")).toBeDefined());
});

it("asks before it submits again what may have been paid for", async () => {
  const submit = vi
    .spyOn(generation, "submitJob")
    .mockResolvedValue(create(SubmitJobResponseSchema, { job: aJob({ jobId: "b" }) }));
  show(failed(RetryAdvice.MAY_PAY_TWICE, Charge.UNKNOWN));
  expect(screen.getByText("May be charged")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  const dialog = screen.getByRole("dialog", { name: "Pay for it a second time?" });
  expect(submit).not.toHaveBeenCalled();
  await userEvent.click(within(dialog).getByRole("button", { name: "Submit it again" }));
  expect(submit).toHaveBeenCalledTimes(1);
});

it.each([RetryAdvice.CHANGE_REQUEST, RetryAdvice.ASK_OPERATOR])(
  "offers no retry that would only fail again (%s)",
  (advice) => {
    show(failed(advice, Charge.NO));
    expect(screen.queryByRole("button", { name: /Retry/ })).toBeNull();
  },
);

it("cancels after it has said what that may cost, as the job is by then", async () => {
  const job = aJob({ jobId: "a", charge: Charge.NO });
  const cancel = vi
    .spyOn(generation, "cancelJob")
    .mockResolvedValue(
      create(CancelJobResponseSchema, { job: { ...job, revision: 9, state: Job_State.CANCELED } }),
    );
  show(job);
  await userEvent.click(screen.getByRole("button", { name: /^Actions/ }));
  await userEvent.click(screen.getByRole("menuitem", { name: "Cancel" }));
  const dialog = screen.getByRole("dialog", { name: "Cancel this job?" });
  expect(dialog).toHaveTextContent("canceling costs nothing");
  const attempts = [{ number: 1, state: Attempt_State.SUBMITTED }];
  store.absorb([aJob({ jobId: "a", state: Job_State.RUNNING, revision: 3, attempts })]);
  await vi.waitFor(() => expect(dialog).toHaveTextContent("may be charged"));
  expect(cancel).not.toHaveBeenCalled();
  await userEvent.click(within(dialog).getByRole("button", { name: "Cancel the job" }));
  expect(cancel.mock.calls[0]?.[0]).toEqual({ jobId: "a" });
  await vi.waitFor(() => expect(store.job("a")?.state).toBe(Job_State.CANCELED));
});

const url = "http://elsewhere.example:8000/api/v1/jobs/a/artifacts/0";

it("shows the small picture of a result, from the origin of the API", () => {
  const preview = { url: `${url}/preview`, width: 512, height: 256 };
  show(
    aJob({
      jobId: "a",
      state: Job_State.COMPLETED,
      artifacts: [{ url, mediaType: "image/png", preview }],
    }),
  );
  expect(screen.getByRole("img", { name: "the prompt of a" })).toHaveAttribute(
    "src",
    `${window.location.origin}/api/v1/jobs/a/artifacts/0/preview`,
  );
});

it("shows the picture itself where there is no small one, and how many there are", () => {
  const artifact = { url, mediaType: "image/png" };
  show(aJob({ jobId: "a", state: Job_State.COMPLETED, artifacts: [artifact, artifact] }));
  expect(screen.getByRole("img").getAttribute("src")).toMatch(/artifacts\/0$/);
  expect(screen.getByText("2")).toBeInTheDocument();
});

it("plays a video under the pointer, and shows how long it is", async () => {
  const preview = { url: `${url}/preview` };
  const video = { url, mediaType: "video/mp4", preview, duration: { seconds: 65n } };
  show(aJob({ jobId: "a", state: Job_State.COMPLETED, artifacts: [video] }));
  expect(screen.getByText("1:05")).toBeInTheDocument();
  expect(document.querySelector("video")).toBeNull();
  await userEvent.hover(screen.getByRole("link"));
  expect(document.querySelector("video")).not.toBeNull();
});

it("plays no video by itself for who wants little motion", async () => {
  vi.spyOn(window, "matchMedia").mockImplementation((query) =>
    Object.assign(new EventTarget(), {
      matches: query.includes("reduced-motion"),
      media: query,
      onchange: null,
      addListener: () => undefined,
      removeListener: () => undefined,
    }),
  );
  const video = { url, mediaType: "video/mp4", preview: { url } };
  show(aJob({ jobId: "a", state: Job_State.COMPLETED, artifacts: [video] }));
  await userEvent.hover(screen.getByRole("link"));
  expect(document.querySelector("video")).toBeNull();
});

it("lets a sound be played in place", () => {
  const sound = { url, mediaType: "audio/mpeg", duration: { seconds: 3n } };
  show(aJob({ jobId: "a", state: Job_State.COMPLETED, artifacts: [sound] }));
  expect(screen.getByRole("button", { name: "Play: the prompt of a" })).toBeInTheDocument();
});

it("says of a deleted result that it is", () => {
  const artifact = { url, mediaType: "image/png", deleteTime: timestampFromMs(NOON) };
  show(aJob({ jobId: "a", state: Job_State.COMPLETED, artifacts: [artifact] }));
  expect(screen.getByText(/^Deleted/)).toBeInTheDocument();
  expect(screen.queryByRole("img")).toBeNull();
});
