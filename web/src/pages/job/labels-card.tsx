// What the caller wrote on the job. Each leads to all jobs that have the same.
import { Link } from "react-router";

import { Badge } from "@/components/ui/badge";
import { SectionCard } from "@/pages/job/section-card";

export function LabelsCard({ labels }: { labels: Readonly<Record<string, string>> }) {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return (
    <SectionCard title="Labels">
      <ul className="flex flex-wrap gap-2">
        {words.map((label) => (
          <li key={label} className="min-w-0">
            <Badge variant="secondary" className="max-w-full" asChild>
              <Link to={`/gallery?${new URLSearchParams({ label }).toString()}`}>
                <span className="truncate">{label}</span>
              </Link>
            </Badge>
          </li>
        ))}
      </ul>
    </SectionCard>
  );
}
