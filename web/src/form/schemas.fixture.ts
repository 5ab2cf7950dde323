// Schemas as GetModel gives them, for tests.
import type { JsonObject } from "@bufbuild/protobuf";

const uri = { type: "string", format: "uri" };

export const PICTURES: JsonObject = {
  type: "object",
  required: ["prompt"],
  additionalProperties: false,
  properties: {
    seed: { type: "integer", "x-order": 4, description: "Random seed" },
    prompt: { type: "string", "x-order": 0 },
    aspect_ratio: {
      type: "string",
      enum: ["1:1", "16:9", "custom"],
      default: "1:1",
      "x-order": 1,
    },
    width: { type: "integer", minimum: 256, maximum: 1440, "x-order": 2 },
    height: { type: "integer", minimum: 256, maximum: 1440, "x-order": 3 },
    num_outputs: { type: "integer", minimum: 1, maximum: 4, default: 1, "x-order": 5 },
    image: { ...uri, "x-order": 6, description: "Image to start from" },
    input_images: { type: "array", items: uri, maxItems: 3, default: [], "x-order": 7 },
    output_format: { type: "string", enum: ["webp", "png"], default: "webp", "x-order": 8 },
    guidance: { type: "number", minimum: 0, maximum: 10, default: 3, "x-order": 9 },
    go_fast: { type: "boolean", default: true, "x-order": 10 },
    negative_prompt: { type: "string", default: "blurry", "x-order": 11 },
    lora_scale: { type: ["number", "null"], default: 1, "x-order": 12 },
    api_token: { type: "string", "x-cog-secret": true, "x-order": 13 },
    extra: { type: "object", "x-order": 14 },
    tags: { type: "array", items: { type: "string" }, "x-order": 15 },
  },
};

export const SPEECH: JsonObject = {
  type: "object",
  required: ["text"],
  properties: {
    text: { type: "string", "x-order": 0 },
    voice_id: { type: "string", enum: ["Calm_Woman", "Deep_Voice_Man"], "x-order": 1 },
  },
};
