// How does a text get into the clipboard, also where the page comes by plain HTTP from another host?

/** Whether the browser took it. Ask for it while it handles a click or a key. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** There navigator.clipboard is missing, but the old command works. It copies what is selected, so a
 *  field is; and what it is to copy is said to it as well, where a dialog or menu holds the focus. */
function copyByCommand(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const give = (event: ClipboardEvent): void => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", give, { capture: true });
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- all that there is without HTTPS
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    document.removeEventListener("copy", give, { capture: true });
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
