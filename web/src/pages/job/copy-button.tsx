// Puts a text where it can be pasted from.
import { Check, Copy } from "lucide-react";
import { useEffect, useState, type ComponentProps, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { copyText } from "@/lib/clipboard";

interface CopyButtonProps extends Omit<ComponentProps<typeof Button>, "onClick"> {
  text: string;
  icon?: ReactNode;
  children?: ReactNode;
}

const SHOWN_MS = 2000;

export function CopyButton({
  children,
  icon = <Copy aria-hidden />,
  text,
  ...props
}: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const onClick = async (): Promise<void> => {
    const done = await copyText(text);
    setCopied(done);
    if (done) toast("Copied");
    else toast.error("The browser does not let the page copy. Select the text instead.");
  };
  return (
    <Button variant="ghost" size="sm" {...props} onClick={onClick}>
      {copied ? <Check aria-hidden /> : icon}
      {children}
    </Button>
  );
}
