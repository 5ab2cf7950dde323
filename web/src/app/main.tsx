// Where does the page begin?
import "@/app/app.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";

import { comeBackAfterDeployment } from "@/app/deployment";
import { Pages } from "@/app/pages";
import { queryClient } from "@/app/query-client";
import { rememberScrolling } from "@/app/scroll-memory";
import { followTheme } from "@/app/theme";
import { Toaster } from "@/components/ui/toast";
import { TooltipProvider } from "@/components/ui/tooltip";
import { LiveProvider } from "@/live/live-provider";

followTheme();
rememberScrolling();
comeBackAfterDeployment();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <LiveProvider>
        <TooltipProvider>
          <BrowserRouter>
            <Pages />
          </BrowserRouter>
          <Toaster />
        </TooltipProvider>
      </LiveProvider>
    </QueryClientProvider>
  </StrictMode>,
);
