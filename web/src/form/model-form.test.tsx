// The form as people use it: what they see, type, choose and are told.
import { create, type JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { generation } from "@/api/clients";
import { queryClient } from "@/app/query-client";
import { BadRequestSchema } from "@/gen/google/rpc/error_details_pb";
import {
  SubmitJobResponseSchema,
  type SubmitJobRequest,
} from "@/gen/mediagen/v1/generation_service_pb";
import { ModelSchema, Price_Unit } from "@/gen/mediagen/v1/model_pb";

import { ModelForm } from "./model-form";
import { PICTURES, SPEECH } from "./schemas.fixture";

// A form is much to draw, and the machine may be busy: only what hangs is a failure.
vi.setConfig({ testTimeout: 60_000 });

const asked: Partial<SubmitJobRequest>[] = [];

function show(inputSchema = PICTURES, carriedPrompt = "") {
  const model = create(ModelSchema, {
    name: "a/b",
    inputSchema,
    price: { usd: 0.003, unit: Price_Unit.OUTPUT },
  });
  return render(
    <QueryClientProvider client={queryClient}>
      <MemoryRouter>
        <ModelForm
          {...{ model, carriedPrompt }}
          reference="a/b"
          notice={undefined}
          aside={null}
          onPrompt={() => undefined}
          onAccepted={() => undefined}
        />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  // The form that a test leaves behind writes its draft down after the test.
  localStorage.clear();
  asked.length = 0;
  vi.spyOn(generation, "submitJob").mockImplementation((request) => {
    asked.push(request as Partial<SubmitJobRequest>);
    return Promise.resolve(create(SubmitJobResponseSchema, { job: { jobId: "j" } }));
  });
});

/** Of a secret, and of inputs that are called as something of every object. */
const ODD: JsonObject = {
  properties: {
    prompt: { type: "string", "x-order": 0 },
    ["__proto__"]: { type: "string", "x-order": 1 },
    constructor: { type: "integer", minimum: 0, maximum: 9, default: 4, "x-order": 2 },
    api_token: { type: "string", "x-cog-secret": true, "x-order": 3 },
  },
};

/** At once, and not letter by letter. */
async function write(user: UserEvent, field: HTMLElement, text: string): Promise<void> {
  await user.clear(field);
  await user.click(field);
  await user.paste(text);
}

const SUBMIT = "{Control>}{Enter}{/Control}";
const prompt = () => screen.getByRole("textbox", { name: "Prompt" });

describe("asking for a job", () => {
  it("sends what was changed, by Ctrl+Enter, and leaves the form as it is", async () => {
    const user = userEvent.setup();
    show();
    await write(user, prompt(), "a fox");
    await user.click(screen.getByRole("radio", { name: "16:9" }));
    await user.keyboard("{Control>}{Enter}{Enter}{/Control}");
    expect(asked).toMatchObject([
      { model: "a/b", prompt: "a fox", input: { aspect_ratio: "16:9" } },
      { model: "a/b", prompt: "a fox", input: { aspect_ratio: "16:9" } },
    ]);
    expect(asked[0]?.requestId).not.toBe(asked[1]?.requestId);
    expect(prompt()).toHaveValue("a fox");
  });

  it("says what is missing instead, and goes there", async () => {
    const user = userEvent.setup();
    show();
    await user.click(screen.getByRole("button", { name: /Generate/ }));
    expect(asked).toEqual([]);
    expect(screen.getByRole("alert")).toHaveTextContent("Prompt: is needed");
    expect(prompt()).toHaveFocus();
    expect(prompt()).toBeInvalid();
    await write(user, prompt(), "a");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  it("says the price of what is asked for", async () => {
    const user = userEvent.setup();
    show();
    const count = screen.getByRole("spinbutton", { name: "Number of outputs" });
    await write(user, count, "4");
    expect(screen.getByText(/\$0\.012 a run/)).toBeVisible();
  });
});

describe("what the service refuses", () => {
  it("is told at its fields, opened and focused, and above the button", async () => {
    const user = userEvent.setup();
    const violations = create(BadRequestSchema, {
      fieldViolations: [
        { field: "input.guidance", description: "must be at most 10" },
        { field: "input.gone", description: "is not an input of a/b" },
      ],
    });
    const details = [{ desc: BadRequestSchema, value: violations }];
    vi.spyOn(generation, "submitJob").mockRejectedValue(
      new ConnectError("refused", Code.InvalidArgument, undefined, details),
    );
    show();
    await write(user, prompt(), "a fox");
    await user.keyboard(SUBMIT);
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("gone: is not an input of a/b");
    expect(alert).toHaveTextContent("Guidance: must be at most 10");
    const guidance = screen.getByRole("spinbutton", { name: "Guidance" });
    expect(guidance).toHaveFocus();
    expect(guidance).toHaveAccessibleDescription("Must be at most 10");
    await user.click(prompt());
    await user.click(within(alert).getByRole("button", { name: /Guidance/ }));
    expect(guidance).toHaveFocus();
  });
});

describe("the fields", () => {
  it("lock a seed, send it, and leave it out again", async () => {
    const user = userEvent.setup();
    show();
    await write(user, prompt(), "a fox");
    await user.click(screen.getByRole("button", { name: /^More/ }));
    await user.click(screen.getByRole("button", { name: "Keep this seed" }));
    await user.keyboard(SUBMIT);
    await user.click(screen.getByRole("button", { name: "Keep this seed" }));
    await user.keyboard(SUBMIT);
    expect(typeof asked[0]?.input?.["seed"]).toBe("number");
    expect(asked[1]?.input).toEqual({});
  });

  it("show width and height with a custom shape only", async () => {
    const user = userEvent.setup();
    show();
    expect(screen.queryByRole("spinbutton", { name: "Width" })).not.toBeInTheDocument();
    await user.click(screen.getByRole("radio", { name: "custom" }));
    expect(screen.getByRole("spinbutton", { name: "Width" })).toBeVisible();
  });

  it("go back to what the model takes", async () => {
    const user = userEvent.setup();
    show();
    await user.click(screen.getByRole("radio", { name: "16:9" }));
    await user.click(screen.getByRole("button", { name: "Reset Aspect ratio" }));
    expect(screen.getByRole("radio", { name: "1:1" })).toBeChecked();
  });

  it("are those of a model that takes another text", async () => {
    const user = userEvent.setup();
    show(SPEECH);
    await write(user, screen.getByRole("textbox", { name: "Text" }), "Hello");
    await user.keyboard(SUBMIT);
    expect(asked).toMatchObject([{ prompt: "", input: { text: "Hello" } }]);
  });

  it("take the address of a file, and let it go", async () => {
    const user = userEvent.setup();
    show();
    const [name] = screen.getAllByRole("button", { name: "Give a URL" });
    if (name) await user.click(name);
    await write(
      user,
      screen.getByRole("textbox", { name: "URL of Image" }),
      "https://x.test/a.png",
    );
    await user.keyboard("{Enter}");
    await write(user, prompt(), "a fox");
    await user.keyboard(SUBMIT);
    expect(asked[0]?.input).toEqual({ image: "https://x.test/a.png" });
    await user.click(screen.getByRole("button", { name: "Remove x.test" }));
    await user.keyboard(SUBMIT);
    expect(asked[1]?.input).toEqual({});
  });
});

describe("what was typed", () => {
  it("is there when the form comes back", async () => {
    const user = userEvent.setup();
    const { unmount } = show();
    await write(user, prompt(), "a fox");
    unmount();
    show(PICTURES, "from another model");
    expect(prompt()).toHaveValue("a fox");
  });

  it("comes along from another model where there was nothing", () => {
    show(PICTURES, "from another model");
    expect(prompt()).toHaveValue("from another model");
  });
});

describe("a form of odd inputs", () => {
  it("draws each, and asks for what was put in", async () => {
    const user = userEvent.setup();
    show(ODD);
    await user.click(screen.getByRole("button", { name: /More/ }));
    await write(user, screen.getByRole("textbox", { name: "Proto" }), "mine");
    expect(screen.getByRole("spinbutton", { name: "Constructor" })).toHaveValue(4);
    await user.click(screen.getByRole("button", { name: /Generate/ }));
    expect(Object.entries(asked[0]?.input ?? {})).toEqual([["__proto__", "mine"]]);
  });

  it("shows nobody a secret, and keeps none over a reload", async () => {
    const user = userEvent.setup();
    const { unmount } = show(ODD);
    await user.click(screen.getByRole("button", { name: /More/ }));
    const field = screen.getByLabelText("API token");
    expect(field).toHaveAttribute("type", "password");
    expect(field).toHaveAttribute("autocomplete", "off");
    await write(user, field, "hush");
    await user.click(screen.getByRole("button", { name: /Generate/ }));
    expect(asked[0]?.input).toEqual({ api_token: "hush" });
    unmount();
    expect(JSON.stringify([localStorage, sessionStorage].map(Object.entries))).not.toContain(
      "hush",
    );
    show(ODD);
    await user.click(screen.getByRole("button", { name: /More/ }));
    expect(screen.getByLabelText("API token")).toHaveValue("");
  });
});
