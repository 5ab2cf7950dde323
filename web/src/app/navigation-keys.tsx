// Which keys work on every page?
import { useNavigate } from "react-router";

import { focusTarget } from "@/app/focus-target";
import { useShortcut } from "@/app/shortcuts";

export function NavigationKeys() {
  const navigate = useNavigate();
  const go = (path: string) => () => void navigate(path);
  useShortcut({ keys: "g c", label: "Create", group: "Go to", run: go("/") });
  useShortcut({ keys: "g g", label: "Gallery", group: "Go to", run: go("/gallery") });
  useShortcut({ keys: "g o", label: "Operations", group: "Go to", run: go("/operations") });
  useShortcut({
    keys: "n",
    label: "New: write a prompt",
    group: "Anywhere",
    run: () => {
      if (!focusTarget("prompt")) void navigate("/");
    },
  });
  useShortcut({
    keys: "/",
    label: "Search",
    group: "Anywhere",
    run: () => {
      if (!focusTarget("search")) void navigate("/gallery");
    },
  });
  return null;
}
