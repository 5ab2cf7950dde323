// How does the page call the API? As gRPC-Web, typed by the protos.
//
// Give every call but a stream a bound: `generation.getJob({ jobId }, bounded(signal))`.
import { createClient, type CallOptions } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { API_ORIGIN } from "@/api/origin";
import { GenerationService } from "@/gen/mediagen/v1/generation_service_pb";
import { InputService } from "@/gen/mediagen/v1/input_service_pb";
import { ModelService } from "@/gen/mediagen/v1/model_service_pb";
import { OperatorService } from "@/gen/mediagen/v1/operator_service_pb";

export const transport = createGrpcWebTransport({ baseUrl: API_ORIGIN });

export const generation = createClient(GenerationService, transport);
export const inputs = createClient(InputService, transport);
export const models = createClient(ModelService, transport);
export const operator = createClient(OperatorService, transport);

/** The edge gives a call 15 s; its own word for that shall come through. */
const CALL_TIMEOUT_MS = 20_000;

/** Options of a call that ends in time, and with the signal (TanStack Query gives one). */
export function bounded(signal?: AbortSignal): CallOptions {
  return { timeoutMs: CALL_TIMEOUT_MS, ...(signal && { signal }) };
}
