// What time is it where jobs get their times? The viewer's clock may be wrong by minutes.
import type { WatchJobsResponse } from "@/gen/mediagen/v1/generation_service_pb";

import { millisOf } from "@/live/job-order";

/** Less than this is as likely the way here as the clock. */
const TRUSTED_MS = 2_000;

class Clock {
  private ahead = 0;

  /** Takes the service's time from a heartbeat, which says what time it is. */
  hear({ event }: WatchJobsResponse): void {
    if (event.case === "heartbeat" && event.value.currentTime)
      this.ahead = millisOf(event.value.currentTime) - Date.now();
    // A change was made before it came here: our clock is not less wrong than by this.
    if (event.case === "update" && event.value.updateTime)
      this.ahead = Math.max(this.ahead, millisOf(event.value.updateTime) - Date.now());
  }

  /** The service's time in milliseconds. */
  now(): number {
    return Date.now() + (Math.abs(this.ahead) > TRUSTED_MS ? this.ahead : 0);
  }
}

export const clock = new Clock();
