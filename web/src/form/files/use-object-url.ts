// How does the page show a file before the service has it?
import { useEffect, useState } from "react";

/** A URL of the file's bytes, for as long as the component is there. */
export function useObjectUrl(file: File): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(file);
    // The URL belongs to the document, which outlives the component: it is made and taken back here.
    // eslint-disable-next-line react-hooks/set-state-in-effect -- it can not be made while rendering
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url;
}
