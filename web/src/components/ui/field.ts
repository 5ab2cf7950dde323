// What do all fields look like that text is put into?
export const FIELD =
  "w-full min-w-0 rounded-lg border border-input bg-card px-3 text-base shadow-xs transition-[border-color,box-shadow] selection:bg-primary/30 focus-visible:border-ring focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:opacity-50 aria-invalid:border-destructive aria-invalid:outline-destructive sm:text-sm";
