# The same tasks in R, on the same bytes. Prints one line of JSON: seconds of the fit, peak memory, the treatment's number.
suppressMessages(library(survival))
args <- commandArgs(trailingOnly = TRUE)
task <- args[1]
folder <- args[2]
about <- readLines(file.path(folder, "table.json"), warn = FALSE)
n <- as.integer(sub('.*"n": ([0-9]+).*', "\\1", about))
p <- as.integer(sub('.*"covariates": ([0-9]+).*', "\\1", about))
values <- readBin(file.path(folder, "columns.bin"), "double", n * (p + 4), endian = "little")
table <- as.data.frame(matrix(values, nrow = n))
names(table) <- c(paste0("x", 0:(p - 1)), "outcome", "time", "event", "center")
terms <- paste(paste0("x", 0:(p - 1)), collapse = " + ")
run <- switch(task,
  "logistic" = function() coef(glm(as.formula(paste("outcome ~", terms)), binomial, table))["x0"],
  "cox" = function() coef(coxph(as.formula(paste("Surv(time, event) ~", terms)), table, ties = "efron"))["x0"],
  "cox-robust" = function() coef(coxph(as.formula(paste("Surv(time, event) ~", terms)), table, ties = "efron", cluster = center))["x0"],
  "curves" = function() { survfit(Surv(time, event) ~ x0, table); survdiff(Surv(time, event) ~ x0, table)$chisq }
)
seconds <- system.time(answer <- run())[["elapsed"]]
peak <- as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
cat(sprintf('{"seconds": %.6f, "peak_mib": %.1f, "answer": %.12g}\n', seconds, if (length(peak)) peak else NaN, answer))
