// A search finds models by all of its words, by name first.
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";

import { Model_OutputKind, ModelSchema } from "@/gen/mediagen/v1/model_pb";

import { found, isReferenceToModel } from "./search";

const models = [
  create(ModelSchema, { name: "a/painter", description: "Better than flux" }),
  create(ModelSchema, { name: "black-forest-labs/flux-dev", description: "Pictures" }),
  create(ModelSchema, { name: "b/mover", outputKind: Model_OutputKind.VIDEO }),
];
const names = (query: string) => found(models, query).map(({ name }) => name);

it("finds all without words, in their order", () => {
  expect(names(" ")).toEqual(models.map(({ name }) => name));
});

it("finds by name before description, in any case", () => {
  expect(names("FLUX")).toEqual(["black-forest-labs/flux-dev", "a/painter"]);
  expect(names("forest/flux pictures")).toEqual(["black-forest-labs/flux-dev"]);
});

it("finds by what is made", () => expect(names("video")).toEqual(["b/mover"]));

it("knows what names a model", () => {
  expect(isReferenceToModel("owner/name")).toBe(true);
  expect(isReferenceToModel(`owner/name:${"0".repeat(64)}`)).toBe(true);
  expect(isReferenceToModel("owner")).toBe(false);
  expect(isReferenceToModel("owner/name:latest")).toBe(false);
});
