// Where do the fields for files find the uploads of their form?
import { createContext, use } from "react";

import type { Uploads } from "@/form/files/use-uploads";

export const UploadsContext = createContext<Uploads | null>(null);

export function useFormUploads(): Uploads {
  const uploads = use(UploadsContext);
  if (uploads === null) throw new Error("a field for files belongs inside of a form");
  return uploads;
}
