# Clone-censor-weight on ../shared/data/maringe_toy.csv with base R and survival: clones, artificial censoring, Cox models of
# it by arm, weights at the start of every interval, weighted Cox model and Kaplan-Meier curves. Run in the repository root.
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv("../shared/data/maringe_toy.csv"); d$n <- seq_len(nrow(d)) - 1
g <- 365.25 / 2; tt <- ifelse(is.na(d$timetosurgery), Inf, d$timetosurgery)
arm <- function(a) {
  out <- if (a == 1) tt > g & d$fup_obs > g else tt <= d$fup_obs
  data.frame(d, a = a, time = ifelse(out, if (a == 1) g else tt, d$fup_obs), death1 = ifelse(out, 0, d$death), dev = as.integer(out))
}
cl <- rbind(arm(1), arm(0)); cuts <- sort(unique(cl$time))
long <- function(a, stabilized) {
  x <- cl[cl$a == a, ]
  control <- coxph.control(eps = 1e-14, toler.chol = 1e-16)
  f <- coxph(Surv(time, dev) ~ age + sex + perf + stage + deprivation + charlson + emergency, x, control = control)
  b <- basehaz(f, centered = FALSE); lp <- as.vector(as.matrix(x[names(coef(f))]) %*% coef(f))
  hz <- stepfun(b$time, c(0, b$hazard))
  m <- coxph(Surv(time, dev) ~ 1, x); mb <- basehaz(m); mz <- stepfun(mb$time, c(0, mb$hazard))
  x$lp <- lp
  s <- survSplit(x, cut = cuts, end = "time", start = "start", event = "death1")
  s$w <- exp(hz(s$start) * exp(s$lp) - if (stabilized) mz(s$start) else 0); s
}
result <- function(stabilized) {
  L <- rbind(long(1, stabilized), long(0, stabilized)); L$row <- seq_len(nrow(L))
  control <- coxph.control(eps = 1e-14, toler.chol = 1e-16)
  f <- coxph(Surv(start, time, death1) ~ a, L, weights = w, cluster = n, control = control)
  r <- coxph(Surv(start, time, death1) ~ a, L, weights = w, cluster = row, control = control)
  u <- coxph(Surv(start, time, death1) ~ a, L, control = control)
  km <- lapply(1:0, function(a) {
    s <- survfit(Surv(start, time, death1) ~ 1, L[L$a == a, ], weights = w)
    c(tail(summary(s, times = 365, extend = TRUE)$surv, 1), summary(s, rmean = 365)$table[["rmean"]])
  })
  list(rows = nrow(L), log_hazard_ratio = unname(coef(f)), error_by_patient = sqrt(vcov(f)[1, 1]), error_by_row = sqrt(vcov(r)[1, 1]),
       unweighted = unname(coef(u)), weight_mean = as.vector(tapply(L$w, -L$a, mean)), weight_max = as.vector(tapply(L$w, -L$a, max)),
       survival = sapply(km, `[`, 1), restricted_mean = sapply(km, `[`, 2))
}
logistic <- function() {
  suppressMessages(library(splines)); tight <- glm.control(epsilon = 1e-14, maxit = 100)
  one <- function(a) {
    x <- cl[cl$a == a, ]; t <- sort(unique(x$time[x$dev == 1])); k <- quantile(t, c(.05, .35, .65, .95))
    long <- do.call(rbind, lapply(t, function(u) { y <- x[x$time >= u, ]; y$left <- as.integer(y$dev == 1 & y$time == u); y$u <- u; y }))
    f <- left ~ age + sex + perf + stage + deprivation + charlson + emergency
    if (length(t) > 1) f <- update(f, . ~ . + ns(u, knots = k[2:3], Boundary.knots = k[c(1, 4)]))
    g <- glm(f, binomial, long, control = tight)
    s <- survSplit(x, cut = cuts, end = "time", start = "start", event = "death1"); s$w <- 1
    for (u in t) { p <- predict(g, transform(s, u = u), type = "response"); s$w <- ifelse(s$start >= u, s$w / (1 - p), s$w) }
    s
  }
  L <- rbind(one(1), one(0))
  f <- coxph(Surv(start, time, death1) ~ a, L, weights = w, cluster = n, control = coxph.control(eps = 1e-14, toler.chol = 1e-16))
  list(log_hazard_ratio = unname(coef(f)), error_by_patient = sqrt(vcov(f)[1, 1]), weight_mean = as.vector(tapply(L$w, -L$a, mean)),
       weight_max = as.vector(tapply(L$w, -L$a, max)))
}
write_json(list(versions = paste("R", getRversion(), "survival", packageVersion("survival")), plain = result(FALSE),
  stabilized = result(TRUE), logistic = logistic()), "tests/against_r/reference/clone_censor_weight.json", digits = 17, auto_unbox = TRUE, pretty = TRUE)
