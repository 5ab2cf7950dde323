// How is the service, and does it make the real thing? Asked by whoever shows it.
import { queryOptions } from "@tanstack/react-query";

import { bounded, generation } from "@/api/clients";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => generation.getHealth({}, bounded(signal)),
});
