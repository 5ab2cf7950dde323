// What do the browser's tab and history call the page?
import { useEffect } from "react";

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · mediagen`;
  }, [title]);
}
