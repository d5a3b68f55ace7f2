# The same tasks with metafor, on the same text. Prints one line of JSON: seconds of the fit, peak memory, the number to compare.
suppressMessages(library(metafor))
args <- commandArgs(trailingOnly = TRUE)
task <- args[1]
table <- read.csv(file.path(args[2], "table.csv"))
note <- paste("metafor", packageVersion("metafor"))
one <- function(method) sapply(split(table, table$review), function(review) {
  tryCatch(rma(yi, vi, data = review, method = method)$tau2, error = function(e) NA)
})
run <- switch(task,
  "reviews" = function() one("REML"),
  "reviews-dl" = function() one("DL"),
  "signs" = function() permutest(rma(yi, vi, data = table), exact = TRUE, progbar = FALSE)$pval,
  "gosh" = function() gosh(rma(yi, vi, data = table), progbar = FALSE)$res$tau2,
  "large-review" = function() rma(yi, vi, data = table)$tau2
)
seconds <- system.time(suppressWarnings(answer <- run()))[["elapsed"]]
if (anyNA(answer)) note <- paste0(note, ", ", sum(is.na(answer)), " fits failed")
peak <- as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
answer <- if (anyNA(answer)) "null" else sprintf("%.12g", sum(answer))
cat(sprintf('{"seconds": %.6f, "peak_mib": %.1f, "answer": %s, "note": "%s"}\n', seconds, if (length(peak)) peak else NaN, answer, note))
