// What is built in.
interface ImportMetaEnv {
  /** The origin of the API, where the page lives on another one. */
  readonly VITE_API_URL?: string;
}
