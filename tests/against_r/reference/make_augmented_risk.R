# Augmented weighting of the risk by a time on ../shared/data/lung.csv (sex as the treatment): glm() of base R, coxph() and survfit()
# of survival, and loops over patients and censoring times. Run in the repository root.
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv("../shared/data/lung.csv"); d <- d[complete.cases(d[, c("time", "status", "sex", "age", "ph.ecog")]), ]
tight <- glm.control(epsilon = 1e-15, maxit = 100); close <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 100)
a <- as.numeric(d$sex == 2); e <- fitted(glm(a ~ age + ph.ecog, binomial, d, control = tight)); n <- nrow(d)

by_time <- function(tau, censoring) {
  d$t <- pmin(d$time, tau); d$y <- as.numeric(d$status == 2 & d$time <= tau); d$c <- as.numeric(d$y == 0 & d$time < tau)
  d$place <- 2 * match(d$t, sort(unique(d$t))) + (1 - d$y)  # events come before censorings at the same time
  risk <- matrix(NA, n, 2); seen <- numeric(n)
  for (arm in 1:0) {
    own <- which(a == arm); rows <- d[own, ]
    f <- coxph(Surv(t, y) ~ age + ph.ecog, rows, ties = "efron", control = close)
    base <- basehaz(f, centered = FALSE)
    H <- function(s) c(0, base$hazard)[findInterval(s, base$time) + 1]
    r <- function(x) exp(drop(as.matrix(x[, c("age", "ph.ecog")]) %*% coef(f)))
    risk[, 2 - arm] <- 1 - exp(-H(tau) * r(d))
    if (censoring == "cox") {
      g <- coxph(Surv(place, c) ~ age + ph.ecog, rows, ties = "breslow", control = close)
      cb <- basehaz(g, centered = FALSE); jump <- diff(c(0, cb$hazard)); kept <- jump > 0; q <- predict(g, rows, type = "lp", reference = "zero")
    } else {
      s <- summary(survfit(Surv(place, c) ~ 1, rows), censored = FALSE)
      cb <- data.frame(time = s$time); jump <- s$n.event / s$n.risk; kept <- rep(TRUE, length(jump)); q <- numeric(nrow(rows))
    }
    u <- cb$time[kept]; jump <- jump[kept]; when <- rows$t[match(u, rows$place)]
    for (i in seq_along(own)) {
      G <- 1; total <- 0
      for (k in seq_along(u)) if (u[k] <= rows$place[i]) {
        dL <- jump[k] * exp(q[i]); G <- G * (1 - dL)
        h <- 1 - exp(-(H(tau) - H(when[k])) * r(rows[i, ]))
        total <- total + h / G * ((rows$c[i] == 1 && u[k] == rows$place[i]) - dL)
      }
      seen[own[i]] <- rows$y[i] / G + total
    }
  }
  effect <- function(w1, w0, target) {
    psi <- cbind(target * risk[, 1] + w1 * (seen - risk[, 1]), target * risk[, 2] + w0 * (seen - risk[, 2]))
    m <- colSums(psi) / sum(target); i <- (psi - outer(target, m)) / mean(target); i <- cbind(i, i[, 1] - i[, 2])
    list(risks = m, errors = apply(i, 2, function(x) sqrt(sum(x^2) / (n * (n - 1)))))
  }
  list(all = effect(a / e, (1 - a) / (1 - e), rep(1, n)), treated = effect(a, (1 - a) * e / (1 - e), a),
       untreated = effect(a * (1 - e) / e, 1 - a, 1 - a))
}
write_json(list(versions = paste("R", getRversion(), "survival", packageVersion("survival")), cox_365 = by_time(365, "cox"),
  curve_365 = by_time(365, "kaplan-meier"), cox_700 = by_time(700, "cox")),
  "tests/against_r/reference/augmented_risk.json", digits = 17, auto_unbox = TRUE, pretty = TRUE)
