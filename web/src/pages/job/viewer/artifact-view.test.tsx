// Is each kind of result shown as what it is, and one that is gone as gone?
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { ArtifactSchema, JobSchema } from "@/gen/mediagen/v1/job_pb";
import { ArtifactView } from "@/pages/job/viewer/artifact-view";

const URL_GIVEN = "http://elsewhere.example/api/v1/jobs/j/artifacts/0";

function show(init: MessageInitShape<typeof ArtifactSchema>, onOpen = vi.fn()) {
  const artifact = create(ArtifactSchema, { url: URL_GIVEN, ...init });
  const job = create(JobSchema, { jobId: "j", request: { prompt: "a fox" } });
  return { onOpen, ...render(<ArtifactView job={job} artifact={artifact} onOpen={onOpen} />) };
}

describe("a result", () => {
  it("that is a picture is shown from the API's origin, and opens", () => {
    const { onOpen } = show({ mediaType: "image/webp", width: 4, height: 3 });
    const picture = screen.getByRole("img", { name: "a fox" });
    expect(picture).toHaveAttribute("src", `${window.location.origin}/api/v1/jobs/j/artifacts/0`);
    expect(picture).toHaveStyle({ aspectRatio: "4 / 3" });
    fireEvent.click(screen.getByRole("button"));
    expect(onOpen).toHaveBeenCalledOnce();
  });

  it.each(["video", "audio"])("that is %s has a player", (kind) => {
    const { container } = show({ mediaType: `${kind}/mp4` });
    expect(container.querySelector(kind)).toHaveAttribute("controls");
  });

  it("that the browser can not show can be downloaded", () => {
    show({ mediaType: "image/tiff", width: 1, height: 1 });
    fireEvent.error(screen.getByRole("img"));
    expect(screen.getByRole("link", { name: "Download it" })).toHaveAttribute(
      "download",
      "j-0.tiff",
    );
  });

  it("that was deleted says so, and asks for no bytes", () => {
    const { container } = show({ mediaType: "image/webp", deleteTime: { seconds: 1n } });
    expect(screen.getByText("This result was deleted")).toBeInTheDocument();
    expect(container.querySelector("img, video, a")).toBeNull();
  });
});
