# Makes reference/study.json. Run from the root of the repository: Rscript tests/against_r/reference/study.R
suppressMessages({library(jsonlite); library(sandwich); library(survival)})
options(warn = -1)
control <- glm.control(epsilon = 1e-14, maxit = 100)
logit <- function(f, d) { g <- glm(f, binomial, d, control = control); update(g, start = coef(g)) }
covariates <- c("age", "gender_num", "weight_first", "sofa_first", "service_unit", "day_icu_intime", "hour_icu_intime", "chf_flg", "afib_flg",
  "renal_flg", "liver_flg", "copd_flg", "cad_flg", "stroke_flg", "mal_flg", "resp_flg", "map_1st", "hr_1st", "temp_1st", "spo2_1st", "wbc_first",
  "hgb_first", "platelet_first", "sodium_first", "potassium_first", "tco2_first", "chloride_first", "bun_first", "creatinine_first")
m <- read.csv("../shared/data/mimic2_iac.csv")
m <- m[complete.cases(m[, covariates]), ]
m$service_unit <- factor(m$service_unit, c("SICU", "MICU", "FICU"))
m$age65 <- factor(m$age >= 65); m$sofa47 <- cut(m$sofa_first, c(-Inf, 4, 7, Inf), right = FALSE); m$sex <- factor(m$gender_num)

# The effect in each level of s from one model, by contrasts of its coefficients.
contrasts_of <- function(g, V, exposure, s, levels) {
  b <- coef(g); names <- names(b)
  t(sapply(levels, function(l) {
    w <- as.numeric(names == exposure | names %in% c(paste0(exposure, ":", s, l), paste0(s, l, ":", exposure)))
    c(sum(w * b), sqrt(drop(w %*% V %*% w)))
  }))
}
interaction_names <- function(g) grep(":", names(coef(g)))
wald <- function(g, V) { i <- interaction_names(g); drop(coef(g)[i] %*% solve(V[i, i], coef(g)[i])) }
subgroup <- function(s, others) {
  without <- logit(reformulate(c("aline_flg", others, s), "day_28_flg"), m)
  with <- logit(reformulate(c("aline_flg", others, s, paste0("aline_flg:", s)), "day_28_flg"), m)
  V <- vcovCL(with, cluster = m$hour_icu_intime, type = "HC0")
  list(effects = unname(contrasts_of(with, vcov(with), "aline_flg", s, levels(m[[s]]))), likelihood_ratio = deviance(without) - deviance(with),
    df = length(interaction_names(with)), clustered = unname(contrasts_of(with, V, "aline_flg", s, levels(m[[s]]))),
    wald = tryCatch(wald(with, V), error = function(e) NA))
}
continuous <- function(x) deviance(logit(reformulate(c("aline_flg", covariates), "day_28_flg"), m)) -
  deviance(logit(reformulate(c("aline_flg", covariates, paste0("aline_flg:", x)), "day_28_flg"), m))
refit <- function(s, others) unname(t(sapply(levels(m[[s]]), function(l) {
  g <- logit(reformulate(c("aline_flg", others), "day_28_flg"), m[m[[s]] == l, ]); c(coef(g)["aline_flg"], sqrt(vcov(g)["aline_flg", "aline_flg"]))
})))
f <- reformulate(c("aline_flg", covariates), "day_28_flg")
g <- logit(f, m); as_default <- glm(f, binomial, m)

# Marginal risks by hand: M-estimation of (coefficients, mean risk treated, mean risk untreated).
risk <- function(level) { d <- m; d$aline_flg <- level; X <- model.matrix(delete.response(terms(g)), d); p <- plogis(drop(X %*% coef(g))); list(p = p, slope = colMeans(p * (1 - p) * X)) }
one <- risk(1); zero <- risk(0); X <- model.matrix(g); p <- fitted(g)
bread <- solve(crossprod(X * sqrt(p * (1 - p)))); score <- X * (m$day_28_flg - p)
part <- function(r) (r$p - mean(r$p)) / nrow(m) + drop(score %*% bread %*% r$slope)
influence <- cbind(part(one), part(zero))
V <- crossprod(influence)
grouped <- rowsum(influence, m$hour_icu_intime); G <- nrow(grouped); VC <- G / (G - 1) * crossprod(grouped)
mimic <- list(
  n = nrow(m), events = sum(m$day_28_flg), coefficient = coef(g)[["aline_flg"]], std_error = sqrt(vcov(g)["aline_flg", "aline_flg"]),
  std_error_as_default = sqrt(vcov(as_default)["aline_flg", "aline_flg"]),
  all = list(names = names(coef(g)), coefficients = unname(coef(g)), std_errors = unname(sqrt(diag(vcov(g))))),
  clustered_std_error = sqrt(vcovCL(g, cluster = m$hour_icu_intime, type = "HC0")["aline_flg", "aline_flg"]),
  age65 = subgroup("age65", covariates), sofa47 = subgroup("sofa47", covariates), sex = subgroup("sex", setdiff(covariates, "gender_num")),
  service_unit = subgroup("service_unit", setdiff(covariates, "service_unit")), continuous = list(age = continuous("age"), sofa_first = continuous("sofa_first")),
  refit = list(sex = refit("sex", setdiff(covariates, "gender_num")), age65 = refit("age65", covariates)),
  standardized = list(risks = c(mean(one$p), mean(zero$p)), covariance = V, clustered = VC)
)

cox <- coxph.control(eps = 1e-14, iter.max = 100)
l <- lung
l$age3 <- cut(l$age, c(-Inf, 60, 70, Inf), right = FALSE); l$ecog <- factor(c("0", "1", "2", "2")[l$ph.ecog + 1]); l$female <- l$sex - 1
survive <- function(d, terms, ...) coxph(reformulate(terms, "Surv(time, status)"), d, control = cox, ...)
lung_by <- function(s, others) {
  d <- l[complete.cases(l[, c("age", "ph.ecog", "time", "status")]), ]
  with <- survive(d, c("female", others, s, paste0("female:", s)))
  c1 <- d[!is.na(d$inst), ]
  robust <- survive(c1, c("female", others, s, paste0("female:", s), "cluster(inst)"))
  list(effects = unname(contrasts_of(with, vcov(with), "female", s, levels(l[[s]]))), df = length(interaction_names(with)),
    likelihood_ratio = 2 * (with$loglik[2] - survive(d, c("female", others, s))$loglik[2]),
    clustered = unname(contrasts_of(robust, vcov(robust), "female", s, levels(l[[s]]))), wald = wald(robust, vcov(robust)))
}
continuous_lung <- function(x) { d <- l[complete.cases(l[, c("age", "ph.ecog")]), ]
  2 * (survive(d, c("female", "age", "ph.ecog", paste0("female:", x)))$loglik[2] - survive(d, c("female", "age", "ph.ecog"))$loglik[2]) }
lung_out <- list(age3 = lung_by("age3", c("age", "ph.ecog")), ecog = lung_by("ecog", c("age", "ph.ecog")), continuous = list(age = continuous_lung("age"), ph_ecog = continuous_lung("ph.ecog")))
v <- veteran; v$test <- v$trt - 1; v$cell3 <- factor(c(squamous = "1", smallcell = "2", adeno = "2", large = "3")[as.character(v$celltype)])
others <- c("karno", "diagtime", "age", "prior"); cells <- survive(v, c("test", others, "cell3", "test:cell3"))
veteran_out <- list(effects = unname(contrasts_of(cells, vcov(cells), "test", "cell3", levels(v$cell3))), df = 2,
  likelihood_ratio = 2 * (cells$loglik[2] - survive(v, c("test", others, "cell3"))$loglik[2]))

# The Stanford heart study: jasa as it is, ended at five years, and split at the transplant by hand.
j <- jasa; days <- function(x) as.numeric(x)
j$age_at <- days(j$accept.dt - j$birth.dt) / 365.25; j$year <- days(j$accept.dt - as.Date("1967-10-01")) / 365.25; end <- 5 * 365.25
j$stop <- days(j$fu.date - j$accept.dt); j$wait <- days(j$tx.date - j$accept.dt); j$id <- seq_len(nrow(j))
j$died <- ifelse(j$stop > end, 0, j$fustat); j$stop <- pmin(j$stop, end)
rows <- do.call(rbind, lapply(seq_len(nrow(j)), function(i) { r <- j[i, ]; s <- if (r$stop == 0) 0.5 else r$stop; w <- r$wait
  if (is.na(w) || w > r$stop) return(data.frame(r[c("id", "age_at", "year", "surgery")], start = 0, end = s, event = r$died, tx = 0))
  if (w == r$stop) w <- r$stop - 0.5
  if (w <= 0) return(data.frame(r[c("id", "age_at", "year", "surgery")], start = 0, end = s, event = r$died, tx = 1))
  data.frame(r[c("id", "age_at", "year", "surgery")], start = c(0, w), end = c(w, s), event = c(0, r$died), tx = c(0, 1)) }))
table_of <- function(fit, V = fit$naive.var) list(n = fit$n, events = fit$nevent, coefficients = unname(coef(fit)), std_errors = unname(sqrt(diag(vcov(fit)))),
  model_std_errors = unname(sqrt(diag(if (is.null(V)) vcov(fit) else V))))
varying <- function(set) coxph(update(Surv(start, end, event) ~ tx, set), rows, control = cox, cluster = id)
naive <- function(set) coxph(update(Surv(stop, died) ~ transplant, set), j[j$stop > 0, ], control = cox)
baseline <- . ~ . + age_at + surgery; calendar <- . ~ . + age_at + surgery + year
landmark <- function(L) { d <- j[j$stop >= L, ]; d$tx <- as.integer(!is.na(d$wait) & d$wait <= L)
  c(table_of(coxph(Surv(stop, died) ~ tx + age_at + surgery, d, control = cox)), list(treated = sum(d$tx))) }
d <- j[j$stop >= 30, ]; d$tx <- as.integer(!is.na(d$wait) & d$wait <= 30); d$died1 <- ifelse(d$stop > 365, 0, d$died); d$stop1 <- pmin(d$stop, 365)
k <- survfit(Surv(stop1, died1) ~ tx, d); lr <- survdiff(Surv(stop1, died1) ~ tx, d)
zph <- cox.zph(coxph(Surv(start, end, event) ~ tx + age_at + surgery, rows, control = cox))$table
heart_out <- list(varying = table_of(varying(baseline)), naive = table_of(naive(baseline)),
  calendar = list(varying = table_of(varying(calendar)), naive = table_of(naive(calendar))), landmarks = list(`30` = landmark(30), `60` = landmark(60), `90` = landmark(90)),
  intervals = list(id = rows$id, start = rows$start, end = rows$end, event = rows$event, tx = rows$tx), zph = unname(zph),
  k1 = list(survival = summary(k, times = 365, extend = TRUE)$surv, std_err = summary(k, times = 365, extend = TRUE)$std.err, chi_squared = lr$chisq,
    rmst = unname(summary(k, rmean = 365)$table[, "rmean"]), rmst_se = unname(summary(k, rmean = 365)$table[, "se(rmean)"])))

p <- c(0.01, 0.04, 0.03, 0.005, 0.6, 0.04, 0.2)
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival")), sandwich = as.character(packageVersion("sandwich"))),
  mimic = mimic, lung = lung_out, veteran = veteran_out, heart = heart_out,
  p_adjust = list(p = p, holm = p.adjust(p, "holm"), hochberg = p.adjust(p, "hochberg"), bonferroni = p.adjust(p, "bonferroni")))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null"), "tests/against_r/reference/study.json")
