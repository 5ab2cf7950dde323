// What else is there: light or dark, the keys, the API's own pages.
import {
  BookOpen,
  FileJson,
  Keyboard,
  Menu,
  Monitor,
  Moon,
  Sun,
  type LucideIcon,
} from "lucide-react";

import { apiUrl } from "@/api/urls";
import { showHelp } from "@/app/help-dialog";
import { setTheme, useTheme, type Theme } from "@/app/theme";
import { Button } from "@/components/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuShortcut,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";

const THEMES: readonly { theme: Theme; name: string; Icon: LucideIcon }[] = [
  { theme: "system", name: "As the system", Icon: Monitor },
  { theme: "light", name: "Light", Icon: Sun },
  { theme: "dark", name: "Dark", Icon: Moon },
];

const LINKS: readonly { path: string; name: string; Icon: LucideIcon }[] = [
  { path: "/docs", name: "Try the API", Icon: BookOpen },
  { path: "/redoc", name: "Read the API", Icon: BookOpen },
  { path: "/openapi.json", name: "OpenAPI document", Icon: FileJson },
];

export function PageMenu() {
  const theme = useTheme();
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="Menu">
          <Menu aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="min-w-52">
        <DropdownMenuLabel>Theme</DropdownMenuLabel>
        <DropdownMenuRadioGroup value={theme} onValueChange={(value) => setTheme(value as Theme)}>
          {THEMES.map(({ theme: value, name, Icon }) => (
            <DropdownMenuRadioItem key={value} value={value}>
              <Icon aria-hidden />
              {name}
            </DropdownMenuRadioItem>
          ))}
        </DropdownMenuRadioGroup>
        <DropdownMenuSeparator />
        {LINKS.map(({ path, name, Icon }) => (
          <DropdownMenuItem key={path} asChild>
            <a href={apiUrl(path)}>
              <Icon aria-hidden />
              {name}
            </a>
          </DropdownMenuItem>
        ))}
        <DropdownMenuSeparator />
        <DropdownMenuItem onSelect={() => showHelp(true)}>
          <Keyboard aria-hidden />
          Keys
          <DropdownMenuShortcut>?</DropdownMenuShortcut>
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
