// A dialog that comes from an edge of the screen, and stays there.
import { cva, type VariantProps } from "class-variance-authority";
import { Dialog as SheetPrimitive } from "radix-ui";
import type { ComponentProps } from "react";

import {
  CloseButton,
  Dialog,
  DialogClose,
  DialogDescription,
  DialogFooter,
  DialogHeader,
  DialogOverlay,
  DialogTitle,
  DialogTrigger,
} from "@/components/ui/dialog";
import { cn } from "@/lib/cn";

const sheetVariants = cva(
  "fixed z-50 flex scroll-slim flex-col gap-5 overflow-y-auto bg-popover p-6 text-popover-foreground shadow-2xl focus-visible:outline-none data-[state=closed]:animate-sheet-out data-[state=open]:animate-sheet-in",
  {
    variants: {
      side: {
        top: "inset-x-0 top-0 max-h-[85dvh] rounded-b-2xl [--sheet-from:0_-100%]",
        bottom:
          "inset-x-0 bottom-0 max-h-[85dvh] rounded-t-2xl pb-[max(1.5rem,env(safe-area-inset-bottom))] [--sheet-from:0_100%]",
        left: "inset-y-0 left-0 w-4/5 max-w-sm [--sheet-from:-100%_0]",
        right: "inset-y-0 right-0 w-4/5 max-w-sm [--sheet-from:100%_0]",
      },
    },
    defaultVariants: { side: "right" },
  },
);

type SheetContentProps = ComponentProps<typeof SheetPrimitive.Content> &
  VariantProps<typeof sheetVariants>;

function SheetContent({ className, children, side, ...props }: SheetContentProps) {
  return (
    <SheetPrimitive.Portal>
      <DialogOverlay />
      <SheetPrimitive.Content
        data-slot="sheet-content"
        className={cn(sheetVariants({ side }), className)}
        {...props}
      >
        {children}
        <CloseButton />
      </SheetPrimitive.Content>
    </SheetPrimitive.Portal>
  );
}

export {
  Dialog as Sheet,
  DialogClose as SheetClose,
  SheetContent,
  DialogDescription as SheetDescription,
  DialogFooter as SheetFooter,
  DialogHeader as SheetHeader,
  DialogTitle as SheetTitle,
  DialogTrigger as SheetTrigger,
};
