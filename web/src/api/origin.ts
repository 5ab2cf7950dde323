// Where is the API? With the page, unless the build says another origin.
export const API_ORIGIN = new URL(import.meta.env.VITE_API_URL ?? "/", window.location.href).origin;
