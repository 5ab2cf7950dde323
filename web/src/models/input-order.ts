// In which order are the inputs of a job said? As the model's schema has them: a job's own come in
// any order.
import { useQuery } from "@tanstack/react-query";

import { readProperties } from "@/form/property";
import { oneModel } from "@/models/queries";

type Compare = (a: { name: string }, b: { name: string }) => number;

/** For the inputs of this model: by their names, where it is not known or knows them no longer. */
export function useInputOrder(reference: string): Compare {
  const { data: model } = useQuery(oneModel(reference));
  const names = readProperties(model?.inputSchema ?? {}).map(({ name }) => name);
  return byOrder(names);
}

export function byOrder(names: readonly string[]): Compare {
  const places = new Map(names.map((name, place) => [name, place]));
  const placeOf = (name: string): number => places.get(name) ?? names.length;
  return (a, b) => placeOf(a.name) - placeOf(b.name) || a.name.localeCompare(b.name);
}
