# step(), loops of add1() and drop1(), and glmnet, as a reference for the selection of covariates.
# Usage: Rscript make_selection.R > selection.json   (from this directory; the data are drawn here and stored)
suppressMessages({library(survival); library(glmnet); library(jsonlite)})
set.seed(20240517)
n <- 300
x <- matrix(rnorm(n * 9), n) %*% (diag(9) + 0.35 * matrix(rnorm(81), 9))
d <- as.data.frame(round(x, 3)); names(d) <- paste0("v", 1:9)
d$stage <- factor(sample(c("I", "II", "III", "IV"), n, TRUE))
d$rare <- as.integer(runif(n) < 0.03)
d$arm <- as.integer(runif(n) < 0.4)
eta <- -0.4 + 0.5 * d$v1 - 0.35 * d$v2 + 0.25 * d$v3 + 0.6 * (d$stage == "IV") - 0.3 * d$arm
d$y <- as.integer(runif(n) < plogis(eta))
d$z <- round(2 + eta + rnorm(n) * 1.5, 4)
t <- ceiling(rexp(n, exp(eta) / 40)); c <- ceiling(runif(n, 10, 120))
d$time <- pmin(t, c); d$event <- as.integer(t <= c)
candidates <- c(paste0("v", 1:9), "stage", "rare")
upper <- as.formula(paste("~ arm +", paste(candidates, collapse = " + ")))
base <- list(
  logistic = glm(y ~ arm, binomial, d, control = glm.control(epsilon = 1e-14, maxit = 50)),
  linear = lm(z ~ arm, d),
  cox = coxph(Surv(time, event) ~ arm, d, ties = "efron", control = coxph.control(eps = 1e-12, iter.max = 50))
)
bic <- c(logistic = log(n), linear = log(n), cox = log(sum(d$event)))
inside <- function(fit) setdiff(attr(terms(fit), "term.labels"), "arm")
steps <- list()
for (kind in names(base)) for (by in c("aic", "bic")) for (direction in c("forward", "backward", "both")) {
  k <- if (by == "aic") 2 else bic[[kind]]
  start <- if (direction == "backward") update(base[[kind]], upper) else base[[kind]]
  fit <- step(start, scope = list(lower = ~ arm, upper = upper), direction = direction, k = k, trace = 0)
  edits <- trimws(as.character(fit$anova$Step[-1]))
  steps[[length(steps) + 1]] <- list(kind = kind, by = by, direction = direction, terms = sort(inside(fit)),
    actions = ifelse(startsWith(edits, "+"), "enter", "leave"), moved = sub("^[+-] ", "", edits),
    coefficients = as.list(coef(fit)))
}
test <- c(logistic = "LRT", linear = "F", cox = "Chisq")
p_column <- c(logistic = "Pr(>Chi)", linear = "Pr(>F)", cox = "Pr(>Chi)")
by_p <- function(kind, direction, enter, stay) {
  fit <- if (direction == "backward") update(base[[kind]], upper) else base[[kind]]
  actions <- c(); moved <- c(); p <- c()
  drops <- function(fit) {
    out <- FALSE
    repeat {
      terms <- inside(fit); if (!length(terms)) break
      table <- drop1(fit, as.formula(paste("~", paste(terms, collapse = "+"))), test = test[[kind]])[terms, , drop = FALSE]
      values <- table[[p_column[[kind]]]]; worst <- which.max(values)
      if (!(values[worst] >= stay)) break
      fit <- update(fit, as.formula(paste(". ~ . -", terms[worst])))
      actions <<- c(actions, "leave"); moved <<- c(moved, terms[worst]); p <<- c(p, values[worst]); out <- TRUE
    }
    list(fit, out)
  }
  repeat {
    went <- FALSE
    if (direction != "backward") {
      left <- setdiff(candidates, inside(fit))
      if (length(left)) {
        table <- add1(fit, as.formula(paste("~ . +", paste(left, collapse = "+"))), test = test[[kind]])[left, , drop = FALSE]
        values <- table[[p_column[[kind]]]]; best <- which.min(values)
        if (values[best] < enter) {
          fit <- update(fit, as.formula(paste(". ~ . +", left[best])))
          actions <- c(actions, "enter"); moved <- c(moved, left[best]); p <- c(p, values[best]); went <- TRUE
        }
      }
    }
    if (direction != "forward") { r <- drops(fit); fit <- r[[1]]; went <- went || r[[2]] }
    if (!went) break
  }
  list(kind = kind, direction = direction, enter = enter, stay = stay, terms = sort(inside(fit)), actions = actions,
       moved = moved, p = p, coefficients = as.list(coef(fit)))
}
loops <- list()
for (kind in names(base)) for (direction in c("forward", "backward", "both")) for (limits in list(c(0.05, 0.1), c(0.3, 0.35)))
  loops[[length(loops) + 1]] <- by_p(kind, direction, limits[1], limits[2])

X <- model.matrix(as.formula(paste("~ arm +", paste(candidates, collapse = " + "))), d)[, -1]
foldid <- rep(1:6, length.out = n)
free <- as.numeric(colnames(X) != "arm")
lasso <- list()
for (kind in names(base)) {
  y <- switch(kind, logistic = d$y, linear = d$z, cox = Surv(d$time, d$event))
  family <- c(logistic = "binomial", linear = "gaussian", cox = "cox")[[kind]]
  lambda <- exp(seq(log(0.2), log(0.002), length.out = 12))
  fit <- glmnet(X, y, family, lambda = lambda, penalty.factor = free, thresh = 1e-16, maxit = 1e7)
  own <- glmnet(X, y, family, penalty.factor = free, thresh = 1e-14)
  cv <- suppressWarnings(cv.glmnet(X, y, family = family, lambda = lambda, penalty.factor = free, foldid = foldid, thresh = 1e-16, maxit = 1e7))
  lasso[[kind]] <- list(lambda = lambda, columns = colnames(X), beta = t(as.matrix(fit$beta)),
    intercept = if (kind == "cox") rep(0, length(lambda)) else as.numeric(fit$a0), lambda_first = own$lambda[1],
    lambda_ratio = own$lambda[2] / own$lambda[1], length = length(own$lambda),
    deviance = cv$cvm, std_error = cv$cvsd, minimum = which(cv$lambda == cv$lambda.min), one_se = which(cv$lambda == cv$lambda.1se))
}
out <- list(
  versions = list(R = R.version.string, glmnet = as.character(packageVersion("glmnet")), survival = as.character(packageVersion("survival"))),
  data = as.list(transform(d, stage = as.character(stage))), steps = steps, loops = loops, folds = foldid - 1, lasso = lasso
)
cat(toJSON(out, digits = NA, auto_unbox = TRUE))
