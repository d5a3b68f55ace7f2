# Makes reference/cumulative_incidence.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_cumulative_incidence.R
suppressMessages({library(jsonlite); library(survival); library(cmprsk)})
set.seed(41)
n <- 160
hazard <- rexp(n, 0.12); other <- rexp(n, 0.07); censor <- runif(n, 3, 25)
d <- data.frame(time = round(pmin(hazard, other, censor), 5), arm = sample(c("a", "b"), n, TRUE))
d$cause <- ifelse(hazard <= pmin(other, censor), 1, ifelse(other <= censor, 2, 0))
d$tied <- ceiling(d$time / 2)
d$begin <- round(d$time * runif(n, 0, 0.6), 5)
multistate <- function(formula, kind) {
  fit <- survfit(formula, data = d, id = seq_len(n), conf.type = kind)
  list(time = fit$time, strata = unname(fit$strata), n.risk = fit$n.risk[, 1], incidence = unname(fit$pstate[, 2:3]),
       std_error = unname(fit$std.err[, 2:3]), low = unname(fit$lower[, 2:3]), high = unname(fit$upper[, 2:3]))
}
d$state <- factor(d$cause, 0:2, c("censored", "event", "competing"))
grays <- function(time) {
  fit <- cuminc(time, d$cause, d$arm)
  curves <- fit[names(fit) != "Tests"]
  at <- timepoints(curves, sort(unique(time)))
  list(names = rownames(at$est), times = sort(unique(time)), incidence = unname(at$est), variance = unname(at$var))
}
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  data = d[, c("time", "tied", "begin", "cause", "arm")],
  exact = lapply(c(plain = "plain", log = "log", `log-log` = "log-log"), function(k) multistate(Surv(time, state) ~ arm, k)),
  tied = list(plain = multistate(Surv(tied, state) ~ arm, "plain")),
  late = list(plain = multistate(Surv(begin, time, state) ~ 1, "plain")),
  cuminc_exact = grays(d$time), cuminc_tied = grays(d$tied)
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/cumulative_incidence.json")
