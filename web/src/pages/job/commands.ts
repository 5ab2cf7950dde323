// How is a job like this one submitted from a shell or a program?
import type { JsonObject } from "@bufbuild/protobuf";

import { Priority, type JobRequest } from "@/gen/mediagen/v1/job_pb";
import { openInput, secretsOf } from "@/jobs/secrets";
import { jsonText, pythonLiteral, shellWord } from "@/pages/job/quoting";

const SUBMIT = "mediagen.v1.GenerationService/SubmitJob";
/** What the service takes where nothing is said. */
const USUAL_TIMEOUT_SECONDS = 3600;

/** What is submitted, without the id of the submission: sent again, it makes another job. In the
 *  place of a secret stands its mark. */
export function submission(request: JobRequest): JsonObject {
  const seconds = timeoutSeconds(request);
  const { labels, model, priority, prompt } = request;
  const input = inputOf(request);
  return {
    model,
    ...(prompt !== "" && { prompt }),
    ...(Object.keys(input).length > 0 && { input }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(isUnusual(priority) && { priority: `PRIORITY_${Priority[priority]}` }),
    ...(seconds !== USUAL_TIMEOUT_SECONDS && { timeout: `${seconds}s` }),
  };
}

export function asCurl(request: JobRequest, origin: string): string {
  return lines([
    `curl ${shellWord(`${origin}/api/v1/generate`)}`,
    "-H 'content-type: application/json'",
    `-d ${shellBody(request)}`,
  ]);
}

export function asBufCurl(request: JobRequest, origin: string): string {
  const plain = new URL(origin).protocol === "http:";
  return lines([
    `buf curl --protocol grpc${plain ? " --http2-prior-knowledge" : ""}`,
    `-d ${shellBody(request)}`,
    shellWord(`${origin}/${SUBMIT}`),
  ]);
}

export function asPython(request: JobRequest, origin: string): string {
  const { protocol, host } = new URL(origin);
  const address = protocol === "http:" ? withPort(host) : origin;
  return `import asyncio
${secretsOf(request).length > 0 ? "import os\n" : ""}
import mediagen


async def main() -> None:
    async with mediagen.Client(${pythonLiteral(address)}) as client:
        job = await client.submit(
            ${pythonArguments(request).join("\n            ")}
        )
        job = await client.wait(job.job_id)
        if job.state != mediagen.Job.STATE_COMPLETED:
            raise SystemExit(job.failure.message)
        for artifact in job.artifacts:
            name = mediagen.file_name(job, artifact)
            await client.download(job.job_id, artifact.index, to=name)
            print(name)


asyncio.run(main())
`;
}

function pythonArguments(request: JobRequest): string[] {
  const { labels, model, priority, prompt } = request;
  const input = inputOf(request);
  const seconds = timeoutSeconds(request);
  return [
    ...(prompt === "" ? [] : [`${pythonLiteral(prompt)},`]),
    `model=${pythonLiteral(model)},`,
    ...(Object.keys(input).length > 0 ? [`input=${pythonInput(request)},`] : []),
    ...(Object.keys(labels).length > 0 ? [`labels=${pythonLiteral(labels)},`] : []),
    ...(isUnusual(priority) ? [`priority="${Priority[priority].toLowerCase()}",`] : []),
    ...(seconds !== USUAL_TIMEOUT_SECONDS ? [`timeout=${seconds},`] : []),
  ];
}

// Nobody is told a secret: whoever runs the command has it in a variable of the environment.

function inputOf(request: JobRequest): JsonObject {
  const secrets = secretsOf(request).map((name) => [name, mark(name)] as const);
  return { ...openInput(request), ...Object.fromEntries(secrets) };
}

/** No text that somebody wrote: its first and last characters are for private use. */
function mark(name: string): string {
  return `\ue000${variable(name)}\ue000`;
}

/** The variable of the shell for an input: "voice_id" is in VOICE_ID. */
function variable(name: string): string {
  return name.toUpperCase().replaceAll(/\W/g, "_").replace(/^\d/, "_$&");
}

function shellBody(request: JobRequest): string {
  const word = shellWord(jsonText(submission(request), 2));
  return secretsOf(request).reduce(
    // Out of the single quotes, and back.
    (text, name) => text.replaceAll(mark(name), `'"$${variable(name)}"'`),
    word,
  );
}

function pythonInput(request: JobRequest): string {
  return secretsOf(request).reduce(
    (text, name) => text.replaceAll(`"${mark(name)}"`, `os.environ["${variable(name)}"]`),
    pythonLiteral(inputOf(request)),
  );
}

function timeoutSeconds({ timeout }: JobRequest): number {
  if (timeout === undefined) return USUAL_TIMEOUT_SECONDS;
  return Number(timeout.seconds) + timeout.nanos / 1e9;
}

function isUnusual(priority: Priority): boolean {
  return priority === Priority.LOW || priority === Priority.HIGH;
}

/** gRPC has no usual port. */
function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:80`;
}

function lines(parts: readonly string[]): string {
  return parts.join(" \\\n  ");
}
