// Create: what to make at the left, and what becomes of it at the right.
import { usePageTitle } from "@/app/page-title";
import { JobActionsProvider } from "@/jobs/job-actions";
import { FormPanel } from "@/pages/create/form-panel";
import { NewestJobs } from "@/pages/create/newest-jobs";

export function CreatePage() {
  usePageTitle("Create");
  return (
    <div className="mx-auto grid w-full max-w-screen-2xl flex-1 items-start gap-6 px-4 pt-2 pb-8 sm:px-6 lg:grid-cols-[25rem_minmax(0,1fr)]">
      <h1 className="sr-only">Create</h1>
      <FormPanel />
      <JobActionsProvider>
        <NewestJobs />
      </JobActionsProvider>
    </div>
  );
}
