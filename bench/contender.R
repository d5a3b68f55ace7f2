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
area <- function(y, x) { r <- rank(x); m <- sum(y); (sum(r[y == 1]) - m * (m + 1) / 2) / (m * (length(y) - m)) }
optimism <- function() {  # 50 replicates; the c-statistic before the correction comes back, for draws differ
  formula <- as.formula(paste("outcome ~", terms))
  full <- glm(formula, binomial, table)
  replicate(50, {
    drawn <- table[sample(n, n, TRUE), ]; fit <- glm(formula, binomial, drawn)
    test <- predict(fit, table); slope <- coef(glm(table$outcome ~ test, binomial))
    c(area(drawn$outcome, predict(fit)) - area(table$outcome, test), slope,
      mean((fitted(fit) - drawn$outcome)^2) - mean((plogis(test) - table$outcome)^2))
  })
  area(table$outcome, predict(full))
}
if (task == "optimism") run <- optimism
if (task == "stepwise") run <- function() {
  upper <- as.formula(paste("~", terms))
  coef(step(glm(outcome ~ x0, binomial, table), list(lower = ~ x0, upper = upper), trace = 0))["x0"]
}
if (task == "screen") run <- function() {
  sapply(paste0("x", 0:(p - 1)), function(x) glm(as.formula(paste("outcome ~", x)), binomial, table))
  ladder <- lapply(c(10, 20, 30, 40), function(size) glm(reformulate(paste0("x", 0:(size - 1)), "outcome"), binomial, table))
  coef(ladder[[4]])["x0"]
}
if (task == "few-clusters") run <- function() {
  fit <- lm(as.formula(paste("time ~", terms)), table)
  clubSandwich::coef_test(fit, vcov = "CR2", cluster = table$center, test = "Satterthwaite")["x0", "SE"]
}
if (task == "random-intercept") run <- function() {
  lme4::fixef(lme4::glmer(as.formula(paste("outcome ~", terms, "+ (1 | center)")), table, binomial, nAGQ = 1))["x0"]
}
note <- ""
if (task == "matching") {
  # Before 4.5.4 distances are not computed rightly on every system: a caliper lets every pair through, and partners are not the nearest.
  # Such a MatchIt shows how long it takes, without a caliper; its number of pairs is not compared.
  calipers <- packageVersion("MatchIt") >= "4.5.4"
  note <- paste("MatchIt", packageVersion("MatchIt"), if (!calipers) "without a caliper: its distances are wrong on this system")
  run <- function() {
    score <- as.formula(paste("x0 ~", paste(paste0("x", 1:(p - 1)), collapse = " + ")))
    found <- MatchIt::matchit(score, table, link = "linear.logit", caliper = if (calipers) 0.2)
    summary(found)
    if (calipers) sum(!is.na(found$match.matrix)) else NA
  }
}
if (task == "imputation") {
  full <- table[c(paste0("x", 0:(p - 1)), "outcome", "time")]
  row <- 0:(n - 1)
  for (j in 1:(p - 1)) full[(row * 7919 + j * 7907 + row %/% 13 * j) %% 100 < 15, j + 1] <- NA
  full[] <- lapply(full, function(v) if (all(v %in% c(0, 1, NA))) factor(v) else v)
  run <- function() {
    filled <- mice::complete(mice::mice(full, m = 20, maxit = 5, seed = 1, printFlag = FALSE), 20)
    sum(is.na(full)) - sum(is.na(filled))
  }
}
seconds <- system.time(answer <- run())[["elapsed"]]
peak <- as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
answer <- if (is.na(answer)) "null" else sprintf("%.12g", answer)
cat(sprintf('{"seconds": %.6f, "peak_mib": %.1f, "answer": %s, "note": "%s"}\n', seconds, if (length(peak)) peak else NaN, answer, note))
