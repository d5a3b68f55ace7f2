# -- models ----------------------------------------------------------------------------------------------------------

# What a fitted model gives: coefficients b by name, their variance V, the degrees of freedom of a contrast L, and the
# P value of the joint test of the contrasts in the rows of K; `size` is how many coefficients there are, `by_z` whether one is
# tested by the normal distribution. Where a joint test has a factor and degrees of freedom of its own, `test` gives its F and these.
numbers_of <- function(b, V, df = Inf) {
  b <- b[!is.na(b)]
  size <- length(b)
  one <- function(L) df
  joint <- function(K) {
    value <- K %*% b
    statistic <- drop(t(value) %*% solve(K %*% V[names(b), names(b)] %*% t(K), value))
    if (is.finite(df)) pf(statistic / nrow(K), nrow(K), df, lower.tail = FALSE) else
      pchisq(statistic, nrow(K), lower.tail = FALSE)
  }
  list(b = b, V = V, df = one, joint = joint, size = size, by_z = !is.finite(df))
}

# The same with the degrees of freedom without missing values, where tests are by z: patients, of times events, less
# coefficients; where a robust variance rests on clusters no more of them than clusters.
completed <- function(model, rows, clusters = Inf) {
  if (model$by_z) model$complete <- max(1, min(rows - model$size, clusters - 1))
  model
}

# How many rows are of sets in which some have the event and some have not.
in_mixed_sets <- function(event, set) sum(ave(as.numeric(event), as.character(set), FUN = function(x) min(x) < max(x)))

# The same without standard errors.
bare <- function(b) numbers_of(b, matrix(NA_real_, length(b), length(b), dimnames = list(names(b), names(b))))

coefficient_named <- function(names, wanted) {
  parts <- function(name) paste(sort(strsplit(gsub("`", "", name), ":", fixed = TRUE)[[1]]), collapse = ":")
  found <- which(vapply(names, parts, "") == parts(wanted))
  if (length(found) != 1) stop("the model has no coefficient ", wanted)
  names[found]
}

contrast_of <- function(model, wanted, weights = rep(1, length(wanted))) {
  L <- setNames(numeric(length(model$b)), names(model$b))
  for (k in seq_along(wanted)) L[[coefficient_named(names(L), wanted[k])]] <- weights[k]
  L
}

# One linear combination of coefficients with its Wald interval and test.
wald <- function(id, model, wanted, level, natural = identity, weights = rep(1, length(wanted))) {
  L <- contrast_of(model, wanted, weights)
  names <- names(L)[L != 0]
  value <- sum(L[names] * model$b[names])
  error <- sqrt(drop(L[names] %*% model$V[names, names, drop = FALSE] %*% L[names]))
  put(id, value, error, level, natural, if (is.na(error)) Inf else model$df(L), complete = model$complete)
}

# The estimate alone: its interval is of a kind that is not computed here.
value_of <- function(id, model, wanted, natural = identity) {
  put(id, model$b[[coefficient_named(names(model$b), wanted)]], natural = natural)
}

joint <- function(id, model, wanted, p = NULL) {
  K <- t(vapply(wanted, function(name) contrast_of(model, name), numeric(length(model$b))))
  if (anyNA(model$V) && is.null(p)) return(invisible(NULL))
  names <- names(model$b)
  values <- drop(K %*% model$b)
  covariance <- K %*% model$V[names, names] %*% t(K)
  complete <- if (model$by_z) model$complete else model$df(K[1, ])
  if (!is.null(model$test)) {
    test <- model$test(unname(K))
    covariance <- covariance * drop(values %*% solve(covariance, values)) / nrow(K) / test[[1]]
    complete <- test[[2]]
  }
  compare(id, NA, p = if (is.null(p)) model$joint(K) else p, values = values, covariance = covariance, complete = complete)
}

# The coefficients of the product of two columns.
product_of <- function(model, one, other) {
  is_product <- function(name) {
    parts <- strsplit(gsub("`", "", name), ":", fixed = TRUE)[[1]]
    length(parts) == 2 && any(startsWith(parts, one)) && any(startsWith(parts, other))
  }
  Filter(is_product, names(model$b))
}

# The coefficients of a spline, those of its products among them; or those that bend it.
spline_of <- function(model, name, nonlinear) {
  is_own <- function(one) {
    parts <- strsplit(gsub("`", "", one), ":", fixed = TRUE)[[1]]
    own <- parts[startsWith(parts, paste0(name, "_s"))]
    number <- suppressWarnings(as.integer(substring(own, nchar(name) + 3)))
    any(!is.na(number) & number >= if (nonlinear) 2 else 1)
  }
  Filter(is_own, names(model$b))
}

# Of imputed tables the coefficients that only the larger model has are pooled.
likelihood_ratio <- function(id, larger, smaller, model, wanted) {
  statistic <- 2 * (as.numeric(logLik(larger)) - as.numeric(logLik(smaller)))
  df <- attr(logLik(larger), "df") - attr(logLik(smaller), "df")
  joint(id, model, wanted, p = pchisq(max(0, statistic), df, lower.tail = FALSE))
}

# -- clusters --------------------------------------------------------------------------------------------------------

few_clusters <- 40
too_few_clusters <- 10

# Robust by cluster: CR1 from 40 clusters, below that CR2 with Satterthwaite's degrees of freedom, none below 10.
by_cluster <- function(fit, cluster, given = NULL, df = Inf) {
  number <- length(unique(cluster))
  kind <- if (!is.null(given)) given else if (number < too_few_clusters) "none" else if (number < few_clusters) "CR2" else "CR1"
  b <- coef(fit)
  if (kind == "none") return(bare(b))
  if (kind == "CR1") {
    return(numbers_of(b, sandwich::vcovCL(fit, cluster = cluster, type = if (inherits(fit, "glm")) "HC0" else "HC1"), df))
  }
  b <- b[!is.na(b)]
  last <- last_iteration(fit, names(b))
  V <- clubSandwich::vcovCR(last, cluster = cluster, type = "CR2")
  test <- function(K) clubSandwich::Wald_test(last, constraints = K, vcov = V, test = "HTZ")
  found <- numbers_of(b, structure(unclass(as.matrix(V)), dimnames = list(names(b), names(b))))
  found$df <- function(L) test(matrix(L, 1))$df_denom
  found$joint <- function(K) test(unname(K))$p_val
  found$test <- function(K) c(test(K)$Fstat, test(K)$df_denom)
  found$by_z <- FALSE
  found
}

# Least squares of the last iteration of a fit, the rows standardized by their working variance.
last_iteration <- function(fit, names) {
  X <- model.matrix(fit)[, names, drop = FALSE]
  weights <- if (inherits(fit, "glm")) fit$weights else rep(1, nrow(X))
  y <- sqrt(weights) * (drop(X %*% coef(fit)[names]) + residuals(fit, type = "working"))
  X <- X * sqrt(weights)
  lm(y ~ X - 1)
}

# Cox's model has one variance by cluster, and none below 10 of them.
unless_few <- function(model, cluster) if (length(unique(cluster)) < too_few_clusters) bare(model$b) else model

# A random intercept. The columns are centered and scaled for the optimizer, and the coefficients turned back.
mixed <- function(formula, d, cluster, logistic = FALSE, points = 11) {
  X <- model.matrix(formula, d)
  X <- X[, sort(qr(X)$pivot[seq_len(qr(X)$rank)]), drop = FALSE]
  middle <- colMeans(X)[-1]
  spread <- apply(X, 2, sd)[-1]
  data <- data.frame(y. = as.numeric(model.response(model.frame(formula, d))), g. = factor(cluster))
  data$Z. <- scale(X[, -1, drop = FALSE], middle, spread)
  fit <- if (logistic) {
    lme4::glmer(y. ~ Z. + (1 | g.), data, binomial, nAGQ = points,
                control = lme4::glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))
  } else {
    lmerTest::lmer(y. ~ Z. + (1 | g.), data,
                   control = lme4::lmerControl(optCtrl = list(xtol_rel = 1e-14, ftol_abs = 1e-16, xtol_abs = 1e-14)))
  }
  back <- diag(c(1, 1 / spread), nrow = ncol(X))
  back[1, -1] <- -middle / spread
  b <- setNames(drop(back %*% lme4::fixef(fit)), colnames(X))
  V <- back %*% as.matrix(vcov(fit)) %*% t(back)
  found <- numbers_of(b, structure(V, dimnames = list(names(b), names(b))))
  if (!logistic) {
    found$df <- function(L) lmerTest::contest1D(fit, drop(L %*% back))$df
    found$joint <- function(K) lmerTest::contestMD(fit, K %*% back)[["Pr(>F)"]]
    found$test <- function(K) unlist(lmerTest::contestMD(fit, K %*% back)[c("F value", "DenDF")])
    found$by_z <- FALSE
  }
  variance <- as.data.frame(lme4::VarCorr(fit))$vcov[1]
  found$between <- list(`variance between clusters` = variance,
    `intraclass correlation` = variance / (variance + if (logistic) pi^2 / 3 else sigma(fit)^2),
    `median odds ratio` = exp(sqrt(2 * variance) * qnorm(0.75)))
  found
}

# Fine and Gray's model by crr(), and by weighted rows for Cox's model.
fine_gray <- function(formula, d, time, cause, strata = rep(1, nrow(d))) {
  X <- model.matrix(formula, d)[, -1, drop = FALSE]
  codes <- match(d[[cause]], c("event", "competing"), nomatch = 0)
  fit <- cmprsk::crr(d[[time]], codes, X, cengroup = as.integer(factor(strata)), gtol = 1e-13, maxiter = 100)
  list(b = setNames(fit$coef, colnames(X)), V = structure(fit$var, dimnames = list(colnames(X), colnames(X))))
}

fine_gray_rows <- function(formula, d, time, cause, ties, cluster = seq_len(nrow(d)), strata = rep(1, nrow(d))) {
  own <- d[all.vars(formula)[-1]]
  own$time. <- d[[time]]
  own$state. <- factor(match(d[[cause]], c("event", "competing"), nomatch = 0), 0:2)
  own$cluster. <- cluster
  own$strata. <- strata
  rows <- finegray(Surv(time., state.) ~ . + strata(strata.), data = own, etype = "1")
  fit <- eval(bquote(coxph(.(update(formula, Surv(fgstart, fgstop, fgstatus) ~ .)), data = rows, weights = fgwt,
    cluster = cluster., ties = .(ties), control = coxph.control(eps = 1e-11, iter.max = 100))))
  list(b = coef(fit), V = vcov(fit))
}

# Generalized estimating equations; below 40 clusters the variance is of another kind, and the coefficients are compared.
estimating_equations <- function(formula, d, cluster, family, correlation) {
  d$cluster. <- match(cluster, unique(cluster))
  d <- d[order(d$cluster.), , drop = FALSE]
  fit <- geepack::geeglm(formula, family = family, data = d, id = cluster., corstr = correlation,
                         control = geepack::geese.control(epsilon = 1e-13, maxit = 500))
  b <- coef(fit)
  if (max(d$cluster.) < few_clusters) return(bare(b))
  numbers_of(b, structure(fit$geese$vbeta, dimnames = list(names(b), names(b))))
}

# -- quantiles -------------------------------------------------------------------------------------------------------

# A fit, and whether quantreg says that other coefficients do as well: then its limits depend on the path that it takes.
noticing <- function(code) {
  several <- FALSE
  fit <- withCallingHandlers(code, warning = function(w) {
    several <<- several || grepl("nonunique", conditionMessage(w))
    invokeRestart("muffleWarning")
  })
  list(fit = fit, unique = !several)
}

quantile_fit <- function(formula, tau, d) {
  found <- noticing(eval(bquote(quantreg::rq(.(formula), tau = .(tau), data = d, method = "br"))))
  found$fit$unique <- found$unique
  found$fit
}

# Its coefficients with the Hendricks-Koenker sandwich (or another variance) behind their contrasts.
quantiles <- function(fit, se = "nid") {
  b <- coef(fit)
  V <- suppressWarnings(summary(fit, se = se, covariance = TRUE)$cov)
  numbers_of(b, structure(V, dimnames = list(names(b), names(b))), length(fit$y) - length(b))
}

# The interval by inversion of the rank test; where many values repeat the path of rq() is not unique either.
many_repeats <- 0.05
ranked <- function(id, fit, wanted, level) {
  name <- coefficient_named(names(coef(fit)), wanted)
  if (!fit$unique || mean(duplicated(fit$y)) > many_repeats) return(compare(id, coef(fit)[[name]]))
  found <- noticing(summary(fit, se = "rank", alpha = 1 - level)$coefficients[name, 2:3])
  ends <- if (found$unique) found$fit else c(NA, NA)
  ends[which(abs(ends) > 1e300)] <- NA
  compare(id, coef(fit)[[name]], ends[[1]], ends[[2]])
}
