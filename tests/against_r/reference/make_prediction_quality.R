# Makes reference/prediction_quality.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_prediction_quality.R
suppressMessages({library(jsonlite); library(survival); library(pROC); library(rms); library(pec); library(prodlim)})
data_dir <- "../shared/data/"
whas <- read.csv(paste0(data_dir, "whas500.csv")); lung <- read.csv(paste0(data_dir, "lung.csv"))

# a yes/no outcome: death in the first year of whas500, by a model and by a coarse score
whas$dead <- as.integer(whas$fstat == 1 & whas$lenfol <= 365)
fit <- glm(dead ~ age + gender + bmi + sho + chf, binomial, whas, control = glm.control(epsilon = 1e-14, maxit = 50))
model <- unname(fitted(fit)); score <- round(whas$age / 10) + 2 * whas$chf + 3 * whas$sho
external <- plogis(-4.2 + 0.05 * whas$age + 0.6 * whas$chf)   # a prediction from elsewhere, badly calibrated
r1 <- roc(whas$dead, model, direction = "<", quiet = TRUE); r2 <- roc(whas$dead, score, direction = "<", quiet = TRUE)
paired <- roc.test(r1, r2, method = "delong")
discrimination <- list(model = as.numeric(ci.auc(r1, method = "delong")), score = as.numeric(ci.auc(r2, method = "delong")),
  se_model = sqrt(var(r1, method = "delong")), se_score = sqrt(var(r2, method = "delong")),
  z = unname(paired$statistic), p = paired$p.value)
tight <- glm.control(epsilon = 1e-14, maxit = 50)
lp <- qlogis(external)
large <- glm(dead ~ offset(lp), binomial, whas, control = tight); slope <- glm(dead ~ lp, binomial, whas, control = tight)
smooth <- loess(whas$dead ~ external, control = loess.control(surface = "direct"))
observed <- predict(smooth, external); apart <- abs(observed - external)
v <- val.prob(external, whas$dead, pl = FALSE)
calibration <- list(intercept = unname(c(coef(large), sqrt(vcov(large)))), slope = unname(c(coef(slope)[2], sqrt(vcov(slope)[2, 2]))),
  ratio = sum(external) / sum(whas$dead), ici = mean(apart), e50 = unname(quantile(apart, 0.5)), e90 = unname(quantile(apart, 0.9)),
  brier = mean((external - whas$dead)^2), val_prob = list(c = unname(v["C (ROC)"]), slope = unname(v["Slope"]), brier = unname(v["Brier"])),
  at = c(0.1, 0.25, 0.4, 0.6), curve = unname(predict(smooth, c(0.1, 0.25, 0.4, 0.6))))

# Harrell's bootstrap on fixed draws: the counts are stored, the optimism is that of glm on the drawn rows
set.seed(11); small <- whas[1:200, ]; draws <- lapply(1:8, function(k) sample(200, 200, TRUE))
formula <- dead ~ age + gender + bmi + sho + chf
full <- glm(formula, binomial, small, control = tight)
area <- function(y, x) as.numeric(auc(roc(y, x, direction = "<", quiet = TRUE)))
one <- function(d) {
  b <- small[d, ]; f <- glm(formula, binomial, b, control = tight)
  own <- predict(f, b); test <- predict(f, small)
  re <- coef(glm(small$dead ~ test, binomial, control = tight))
  c(area(b$dead, own) - area(small$dead, test), 1 - unname(re[2]), 0 - unname(re[1]),
    mean((plogis(own) - b$dead)^2) - mean((plogis(test) - small$dead)^2))
}
optimism <- list(draws = draws, each = lapply(draws, one),
  apparent = c(area(small$dead, predict(full)), 1, 0, mean((fitted(full) - small$dead)^2)))

# time to event
lung$status <- lung$status - 1; lung <- lung[complete.cases(lung[, c("time", "status", "age", "sex", "ph.ecog")]), ]
con <- function(...) { f <- concordance(...); c(f$concordance, sqrt(f$var)) }
set.seed(4); n <- 150
d <- data.frame(x = round(rnorm(n), 1)); event_time <- ceiling(rexp(n, .1 * exp(.7 * d$x)) * 2); cens <- ceiling(runif(n, 1, 30))
d$time <- pmin(event_time, cens); d$status <- as.integer(event_time <= cens); d$start <- pmax(0, d$time - sample(1:10, n, TRUE))
concordances <- list(data = d, harrell = con(Surv(time, status) ~ x, d, reverse = TRUE),
  uno = con(Surv(time, status) ~ x, d, reverse = TRUE, timewt = "n/G2"),
  until = con(Surv(time, status) ~ x, d, reverse = TRUE, ymax = 8),
  uno_until = con(Surv(time, status) ~ x, d, reverse = TRUE, timewt = "n/G2", ymax = 8),
  late = con(Surv(start, time, status) ~ x, d, reverse = TRUE),
  stratified = con(coxph(Surv(time, status) ~ age + strata(sex), lung)), cox = con(coxph(Surv(time, status) ~ age + sex, lung)))
at <- 365
cf <- coxph(Surv(time, status) ~ age + sex + ph.ecog, lung, x = TRUE, y = TRUE, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50))
H <- basehaz(cf, centered = TRUE); h <- tail(H$hazard[H$time <= at], 1)
risk <- 1 - exp(-h * exp(predict(cf, type = "lp")))
other <- 1 - exp(-0.9 * exp(0.03 * (lung$age - 62) + 0.8 * (lung$ph.ecog - 1)))   # a prediction from elsewhere
brier <- pec(list(m = matrix(1 - other, ncol = 1)), formula = Surv(time, status) ~ 1, data = lung, times = at, exact = FALSE,
             start = NULL, cens.model = "marginal", reference = TRUE, verbose = FALSE)
cll <- log(-log(1 - other)); k <- quantile(cll, c(.1, .5, .9))
basis <- Hmisc::rcspline.eval(cll, knots = k, inclx = TRUE)
sf <- coxph(Surv(time, status) ~ basis, lung, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50))
hs <- basehaz(sf, centered = TRUE); hs <- tail(hs$hazard[hs$time <= at], 1)
smoothed <- 1 - exp(-hs * exp(predict(sf, type = "lp")))
cs <- coxph(Surv(time, status) ~ cll, lung, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50))
km <- summary(survfit(Surv(time, status) ~ 1, lung), times = at)
G <- prodlim(Hist(time, status) ~ 1, lung, reverse = TRUE)
gi <- sapply(lung$time, function(t) predict(G, times = t - 0.5))   # whole days: just before each
# the cumulative/dynamic AUC by its formula, every pair
case <- lung$time <= at & lung$status == 1; control <- lung$time > at
w <- 1 / gi; pairs <- outer(other[case], other[control], function(a, b) (a > b) + (a == b) / 2)
net <- function(t) { s <- other >= t; part <- mean(s); f <- 1 - summary(survfit(Surv(time, status) ~ 1, lung[s, ]), times = at)$surv
  part * (f - (1 - f) * t / (1 - t)) }
survival_at <- list(risk = unname(risk), brier = unname(brier$AppErr$m), brier_km = unname(brier$AppErr$Reference),
  auc = sum(pairs * w[case]) / sum(w[case]) / sum(control), slope = unname(c(coef(cs), sqrt(vcov(cs)))), km = c(km$surv, km$std.err),
  ratio = mean(other) / (1 - km$surv), ici = mean(abs(smoothed - other)), e50 = unname(quantile(abs(smoothed - other), .5)),
  e90 = unname(quantile(abs(smoothed - other), .9)), thresholds = c(.3, .5, .6), net = sapply(c(.3, .5, .6), net))

versions <- sapply(c("survival", "pROC", "rms", "pec", "prodlim", "Hmisc"), function(p) as.character(packageVersion(p)))
write_json(list(r = R.version.string, packages = as.list(versions), discrimination = discrimination, calibration = calibration,
  optimism = optimism, concordance = concordances, survival = survival_at),
  "tests/against_r/reference/prediction_quality.json", digits = I(17), auto_unbox = TRUE)
