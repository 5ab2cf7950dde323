// How long are answers of the API good, and what is asked again?
import { QueryClient } from "@tanstack/react-query";

import { isTransient } from "@/api/problem";

const TRIES = 3;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) => failures < TRIES && isTransient(error),
    },
    // What changes something is repeated only by who knows that it may be.
    mutations: { retry: false },
  },
});
